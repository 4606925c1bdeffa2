using System.Net.Sockets;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Checkpoints;

/// <summary>Loads the state of a machine's devices from a package.</summary>
internal static class DeviceStateFile
{
    private const string StateSocket = "state-in.sock";
    private const int BufferBytes = 256 << 10;

    /// <summary>QEMU has nothing to wait for but the guest's RAM, which comes as its devices ask for it.</summary>
    private static readonly TimeSpan LoadDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Returns once QEMU has loaded it; the guest could run then.</summary>
    public static async Task LoadAsync(VmMachine machine, string path, TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(LoadDeadline, time);
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
            var socketPath = machine.Folder.InQemu(StateSocket);
            var completed = machine.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, deadline.Token);
            await machine.Qmp.MigrateIncomingAsync($"unix:{socketPath}", deadline.Token);
            using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), deadline.Token);
                await using var stream = new NetworkStream(socket);
                await file.CopyToAsync(stream, BufferBytes, deadline.Token);
            }

            if ((await completed).MigrationStatus != MigrationStatus.Completed)
                throw PeerException.Failed($"QEMU refused the device state {path}: {machine.Process.ReadStandardErrorTail()}");
        }
        catch (Exception error) when (error is IOException or SocketException or UnauthorizedAccessException or QmpException or QmpConnectionException or OperationCanceledException)
        {
            var reason = error is OperationCanceledException ? $"QEMU did not load it within {LoadDeadline.TotalSeconds:0} s" : error.Message;
            throw PeerException.Failed($"The device state {path} could not be loaded: {reason}. {machine.Process.ReadStandardErrorTail()}".TrimEnd());
        }
    }
}
