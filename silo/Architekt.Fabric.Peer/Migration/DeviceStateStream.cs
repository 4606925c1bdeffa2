using System.Net.Sockets;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Processes;


namespace Architekt.Fabric.Peer.Migration;

/// <summary>Takes the device state QEMU writes out: a unix socket, open before the guest stops.</summary>
internal sealed class DeviceStateStream : IDisposable
{
    private const string SocketName = "state-out.sock";
    private const int FirstBufferBytes = 1 << 20;
    private readonly Socket _listener;
    private readonly string _path;

    public DeviceStateStream(VmMachine machine, int? qemuUser)
    {
        _path = machine.Folder.InQemu(SocketName);
        File.Delete(_path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        FileOwner.Give(_path, qemuUser);
        _listener.Listen();
    }

    /// <summary>Where to send QEMU's <c>migrate</c>.</summary>
    public string Uri => $"unix:{_path}";

    /// <summary>Everything QEMU writes until it closes the socket.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        using var connection = await _listener.AcceptAsync(cancellationToken);
        var buffer = GC.AllocateUninitializedArray<byte>(FirstBufferBytes);
        for (var length = 0; ;)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, 2 * buffer.Length);
            var count = await connection.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
            if (count == 0) return buffer.AsMemory(0, length);
            length += count;
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }
}
