using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>The destination's side of a disk's move: QEMU exports its overlay on a unix socket; this lets the source's peer through to it.</summary>
internal sealed class DiskReceiver : IAsyncDisposable
{
    private const string NbdSocket = "nbd.sock";
    private static readonly TimeSpan TokenDeadline = TimeSpan.FromSeconds(10);
    private readonly VmMachine _machine;
    private readonly NbdClient _export;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private readonly TimeProvider _time;
    private readonly Lock _closing = new();
    private Task? _closed;

    private DiskReceiver(VmMachine machine, NbdClient export, IPAddress address, TimeProvider time)
    {
        _machine = machine;
        _export = export;
        _time = time;
        Token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(address, 0));
        _listener.Listen();
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>What a connection must say first: 32 hex digits and a line feed.</summary>
    public string Token { get; }

    public static async Task<DiskReceiver> StartAsync(VmMachine machine, IPAddress address, TimeProvider time)
    {
        await machine.Qmp.NbdServerStartAsync(machine.Folder.InQemu(NbdSocket), CancellationToken.None);
        await machine.Qmp.BlockExportAddAsync(DiskMirror.Export, QemuCommandLine.DiskNodeName, writable: true, DiskMirror.Export, CancellationToken.None);
        var export = await NbdClient.ConnectAsync(new UnixDomainSocketEndPoint(machine.Folder.InQemu(NbdSocket)), DiskMirror.Export);
        return new DiskReceiver(machine, export, address, time);
    }

    /// <summary>
    /// Has QEMU and the kernel write out all that the source has written here. The source does not ask QEMU for that: what the guest was told is on its
    /// disk is on the source's until the commit.
    /// </summary>
    public Task FlushAsync(CancellationToken cancellationToken) => _export.FlushAsync(cancellationToken).AsTask();

    /// <summary>Flushes the disk and closes QEMU's export, unless that was done already: from now on only the guest writes to its disk.</summary>
    public Task CloseExportAsync()
    {
        lock (_closing) return _closed ??= CloseAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await _export.DisposeAsync();
        _ending.Dispose();
    }

    private async Task CloseAsync()
    {
        await FlushAsync(CancellationToken.None);
        await _machine.Qmp.NbdServerStopAsync(CancellationToken.None);
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true) relays.Add(CarryAsync(await _listener.AcceptAsync(_ending.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task CarryAsync(Socket far)
    {
        far.NoDelay = true;
        var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (await SaysTokenAsync(far))
            {
                await near.ConnectAsync(new UnixDomainSocketEndPoint(_machine.Folder.InQemu(NbdSocket)), _ending.Token);
                await SocketRelay.RunAsync(far, near, static _ => { }, _ending.Token);

                // The source has all it wanted to write on this disk. QEMU opens one connection and no other, so this was it.
                if (!_ending.IsCancellationRequested) _ = CloseExportAsync();
                return;
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // The source's QEMU notices and says so.
        }

        far.Dispose();
        near.Dispose();
    }

    private async Task<bool> SaysTokenAsync(Socket far)
    {
        using var deadline = new CancellationTokenSource(TokenDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _ending.Token);
        var expected = Encoding.ASCII.GetBytes(Token + "\n");
        var said = new byte[expected.Length];
        for (var length = 0; length < said.Length;)
        {
            var count = await far.ReceiveAsync(said.AsMemory(length), either.Token);
            if (count == 0) return false;
            length += count;
        }

        return CryptographicOperations.FixedTimeEquals(said, expected);
    }
}
