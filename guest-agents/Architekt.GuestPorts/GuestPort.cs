using System.Runtime.InteropServices;
using System.Text;
using Architekt.GuestPorts.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.GuestPorts;

/// <summary>
/// The guest's end of a byte stream to the host: a virtio-serial port or another character device, or (for tests) a unix socket.
/// </summary>
/// <remarks>
/// All calls block. On a virtio-serial port with no host on the other side a read ends at once with 0 and poll says HUP at once, but a write waits
/// for the host without using any CPU (drivers/char/virtio_console.c, <c>will_write_block</c>): to wait for a host, write.
/// </remarks>
public sealed class GuestPort : IDisposable
{
    /// <summary>What a port specification starts with when it names a unix socket.</summary>
    public const string UnixPrefix = "unix:";

    // sockaddr_un.sun_path, unix(7), with its terminating zero.
    private const int MaxSocketPathBytes = 107;

    private readonly SafeFileHandle _handle;
    private readonly bool _isSocket;

    private GuestPort(SafeFileHandle handle, bool isSocket)
    {
        _handle = handle;
        _isSocket = isSocket;
    }

    /// <summary>Opens a port.</summary>
    /// <param name="specification">The path of a character device, or <c>unix:</c> and the path of a listening socket.</param>
    /// <exception cref="GuestPortException">It cannot be opened.</exception>
    public static GuestPort Open(string specification)
    {
        ArgumentException.ThrowIfNullOrEmpty(specification);
        if (specification.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return Connect(specification[UnixPrefix.Length..]);
        var handle = LibC.Open(specification, LibC.OpenReadWrite | LibC.OpenNoTerminal | LibC.OpenCloseOnExec, 0);
        return handle.IsInvalid ? throw Failure($"open the port {specification}", handle) : new GuestPort(handle, isSocket: false);
    }

    /// <summary>Waits for bytes from the host.</summary>
    /// <returns>How many were read; 0 when the host is not there (any more).</returns>
    public int Read(Span<byte> buffer)
    {
        while (true)
        {
            var count = LibC.Read(_handle, buffer, buffer.Length);
            if (count >= 0)
                return (int)count;
            if (Marshal.GetLastPInvokeError() != LibC.Interrupted)
                return 0;
        }
    }

    /// <summary>Writes all of <paramref name="bytes"/>; on a virtio-serial port, waits for a host first.</summary>
    /// <returns>False when the port is gone and has to be opened again.</returns>
    public bool Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = _isSocket ? LibC.Send(_handle, bytes, bytes.Length, LibC.MessageNoSignal) : LibC.Write(_handle, bytes, bytes.Length);
            if (count > 0)
                bytes = bytes[(int)count..];
            else if (count == 0 || Marshal.GetLastPInvokeError() != LibC.Interrupted)
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static GuestPort Connect(string path)
    {
        var pathBytes = Encoding.UTF8.GetBytes(path);
        if (pathBytes.Length is 0 or > MaxSocketPathBytes)
            throw new GuestPortException($"Cannot connect to the socket '{path}': its path must have 1 to {MaxSocketPathBytes} bytes.");
        // struct sockaddr_un: a 16-bit family in the machine's byte order, then the path.
        Span<byte> address = stackalloc byte[sizeof(ushort) + MaxSocketPathBytes + 1];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)LibC.AddressFamilyUnix);
        pathBytes.CopyTo(address[sizeof(ushort)..]);

        var handle = LibC.Socket(LibC.AddressFamilyUnix, LibC.SocketStream | LibC.SocketCloseOnExec, 0);
        if (handle.IsInvalid || LibC.Connect(handle, address, address.Length) != 0)
            throw Failure($"connect to the socket {path}", handle);
        return new GuestPort(handle, isSocket: true);
    }

    private static GuestPortException Failure(string what, SafeFileHandle handle)
    {
        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return new GuestPortException($"Cannot {what}: {Marshal.GetPInvokeErrorMessage(error)}.");
    }
}
