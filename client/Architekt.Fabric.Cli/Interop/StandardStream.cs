using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Cli.Interop;

/// <summary>
/// A standard stream without .NET's console on top: raw bytes in both directions, no line editing, and a reader that went away is an <see cref="IOException"/>
/// (the console's own stream swallows it, and <c>fabric events --follow | head</c> would go on for ever).
/// </summary>
internal sealed partial class StandardStream(int descriptor, bool canWrite) : Stream
{
    private const int Eintr = 4;
    private const int Eagain = 11;
    private const short PollIn = 1;
    private const short PollOut = 4;

    public override bool CanRead => !canWrite;

    public override bool CanSeek => false;

    public override bool CanWrite => canWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override unsafe int Read(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                var count = ReadNative(descriptor, pointer, (nuint)buffer.Length);
                if (count >= 0) return (int)count;
                WaitOrThrow("read from");
            }
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Read(buffer.Span), cancellationToken));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            fixed (byte* pointer = buffer)
            {
                var count = WriteNative(descriptor, pointer, (nuint)buffer.Length);
                if (count >= 0) buffer = buffer[(int)count..];
                else WaitOrThrow("write to");
            }
        }
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void WaitOrThrow(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        if (error == Eintr) return;
        if (error != Eagain) throw new IOException($"Cannot {what} standard stream {descriptor}.", new Win32Exception(error));
        // Someone else's O_NONBLOCK on a shared terminal or pipe. However it ends, the next attempt says what is there now.
        var wanted = new PollDescriptor { Descriptor = descriptor, Events = canWrite ? PollOut : PollIn };
        _ = PollNative(ref wanted, 1, -1);
    }

    // struct pollfd, poll(2).
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int PollNative(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint ReadNative(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint WriteNative(int descriptor, byte* buffer, nuint count);
}
