using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Cli.Tests.Interop;

/// <summary>A pipe that somebody has made non-blocking, as a shell or another program that shares it may.</summary>
internal sealed partial class NonBlockingPipe : IDisposable
{
    // fcntl.h and, on x86-64, asm-generic/fcntl.h.
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int GetPipeSize = 1032;
    private const int NonBlocking = 0x800;

    public NonBlockingPipe()
    {
        Reader = new AnonymousPipeServerStream(PipeDirection.In);
        Writer = new AnonymousPipeClientStream(PipeDirection.Out, Reader.ClientSafePipeHandle);
    }

    public AnonymousPipeServerStream Reader { get; }

    public AnonymousPipeClientStream Writer { get; }

    /// <summary>How many bytes it takes before it is full.</summary>
    public int Capacity => Control(Writer.SafePipeHandle, GetPipeSize, 0);

    /// <summary>The descriptor of the end that is written to, which does not block any more.</summary>
    public int OpenWriter() => Unblock(Writer.SafePipeHandle);

    /// <summary>The descriptor of the end that is read from, which does not block any more.</summary>
    public int OpenReader() => Unblock(Reader.SafePipeHandle);

    public void Dispose()
    {
        Writer.Dispose();
        Reader.Dispose();
    }

    private static int Unblock(SafePipeHandle end)
    {
        Assert.NotEqual(-1, Control(end, SetFlags, Control(end, GetFlags, 0) | NonBlocking));
        return (int)end.DangerousGetHandle();
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafePipeHandle descriptor, int command, int argument);
}
