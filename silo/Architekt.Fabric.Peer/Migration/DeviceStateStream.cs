using System.Net.Sockets;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>Carries the device state QEMU writes out to the destination: a unix socket, open before the guest stops.</summary>
internal sealed class DeviceStateStream : IDisposable
{
    private const string SocketName = "state-out.sock";
    private const int BufferBytes = 256 << 10;
    private readonly Socket _listener;
    private readonly string _path;
    private volatile bool _isHeldBack;

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

    /// <summary>
    /// From now on nothing is loaded before the hand-over. Devices look into the guest's RAM when they are loaded, so all of it must be there.
    /// </summary>
    public void HoldBack() => _isHeldBack = true;

    /// <summary>Sends on everything QEMU writes until it closes the socket. Returns the number of bytes.</summary>
    public async Task<long> SendToAsync(INbdClient export, CancellationToken cancellationToken)
    {
        using var connection = await _listener.AcceptAsync(cancellationToken);
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        long early = 0, late = 0;
        while (await connection.ReceiveAsync(buffer, cancellationToken) is var count and > 0)
        {
            var offset = _isHeldBack ? DeviceStateExport.LateOffset + late : early;
            await export.WriteAsync(offset, buffer.AsMemory(0, count), cancellationToken: cancellationToken);
            if (offset < DeviceStateExport.LateOffset) early += count;
            else late += count;
        }

        return early + late;
    }

    /// <summary>Writes everything QEMU writes until it closes the socket. Returns the number of bytes.</summary>
    public async Task<long> SaveToAsync(Stream file, CancellationToken cancellationToken)
    {
        using var connection = await _listener.AcceptAsync(cancellationToken);
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        long bytes = 0;
        for (; await connection.ReceiveAsync(buffer, cancellationToken) is var count and > 0; bytes += count)
            await file.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        return bytes;
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(_path);
    }
}
