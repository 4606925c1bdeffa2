using System.Net;
using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The source's side of a disk's move: QEMU mirrors its overlay, write-blocking, into the destination QEMU's NBD export; this carries the
/// bytes to the destination's peer.
/// </summary>
internal sealed class DiskMirror : IAsyncDisposable
{
    public const string Export = "disk";
    private const string Job = "mirror";
    private const string FarNode = "far";
    private const string RelaySocket = "mirror.sock";
    private const int MostAttempts = 400;
    private static readonly TimeSpan AbortPoll = TimeSpan.FromMilliseconds(5);
    private readonly VmMachine _machine;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private readonly TimeProvider _time;
    private Task<QmpEvent>? _ready;
    private Task<QmpEvent>? _failed;
    private long _bytes;

    private DiskMirror(VmMachine machine, PeerOffer offer, int? qemuUser, TimeProvider time)
    {
        _machine = machine;
        _time = time;
        var path = machine.Folder.InQemu(RelaySocket);
        File.Delete(path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        FileOwner.Give(path, qemuUser);
        _listener.Listen();
        _accepting = AcceptAsync(offer);
    }

    /// <summary>Bytes QEMU has sent towards the destination.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether the destination has caught up; from then on every write is on both sides before the guest hears of it.</summary>
    public bool IsReady
    {
        get
        {
            if (_failed is { IsCompletedSuccessfully: true } failed)
                throw PeerException.Failed($"The disk could not be mirrored: {failed.Result.DataString("error") ?? "the destination's export went away"}.");
            return _ready is { IsCompletedSuccessfully: true };
        }
    }

    public static async Task<DiskMirror> StartAsync(
        VmMachine machine, PeerOffer offer, int? qemuUser, TimeProvider time, CancellationToken cancellationToken)
    {
        var mirror = new DiskMirror(machine, offer, qemuUser, time);
        try
        {
            await machine.Qmp.BlockdevAddNbdAsync(FarNode, machine.Folder.InQemu(RelaySocket), Export, cancellationToken);
            mirror._ready = mirror.WaitAsync(QmpEventNames.BlockJobReady);
            mirror._failed = mirror.WaitAsync(QmpEventNames.BlockJobError);
            await machine.Qmp.BlockdevMirrorAsync(
                Job, QemuCommandLine.DiskNodeName, FarNode, MirrorSync.Top, MirrorCopyMode.WriteBlocking, bytesPerSecond: null, cancellationToken);
            return mirror;
        }
        catch
        {
            await mirror.AbortAsync();
            await mirror.DisposeAsync();
            throw;
        }
    }

    /// <summary>With the guest stopped: waits for the last writes. The destination's disk is then the guest's disk.</summary>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        // On a ready mirror, cancel means finish without a pivot.
        var completed = _machine.Qmp.WaitForEventAsync(
            QmpEventNames.BlockJobCompleted, static done => done.IsForBlockJob(Job), cancellationToken);
        await _machine.Qmp.BlockJobCancelAsync(Job, force: false, cancellationToken);
        var done = await completed;
        if (done.DataString("error") is { } error) throw PeerException.Failed($"The disk could not be mirrored to its end: {error}.");
    }

    /// <summary>Ends the mirror, wherever it is; the guest's own disk is not touched.</summary>
    public async Task AbortAsync()
    {
        while ((await _machine.Qmp.QueryBlockJobsAsync(CancellationToken.None)).Count > 0)
        {
            await TryAsync(_machine.Qmp.BlockJobCancelAsync(Job, force: true, CancellationToken.None));
            await Task.Delay(AbortPoll, _time);
        }

        // A job that has just ended may hold its target for a moment; a node that stays would be in the way of the next mirror.
        for (var attempt = 0; attempt < MostAttempts && await HasFarNodeAsync(); attempt++)
        {
            await TryAsync(_machine.Qmp.BlockdevDelAsync(FarNode, CancellationToken.None));
            await Task.Delay(AbortPoll, _time);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _ending.Dispose();
    }

    private async Task<bool> HasFarNodeAsync() =>
        (await _machine.Qmp.QueryNamedBlockNodesAsync(CancellationToken.None)).Any(static node => node.NodeName == FarNode);

    /// <summary>What is refused has ended by itself in the meantime, or is tried again.</summary>
    private static async Task TryAsync(Task command)
    {
        try
        {
            await command;
        }
        catch (QmpException)
        {
        }
    }

    private Task<QmpEvent> WaitAsync(string name)
    {
        var waiting = _machine.Qmp.WaitForEventAsync(name, static done => done.IsForBlockJob(Job), _ending.Token);
        _ = waiting.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return waiting;
    }

    private async Task AcceptAsync(PeerOffer offer)
    {
        var relays = new List<Task>();
        try
        {
            while (true)
            {
                var near = await _listener.AcceptAsync(_ending.Token);
                relays.Add(CarryAsync(near, offer));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task CarryAsync(Socket near, PeerOffer offer)
    {
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await far.ConnectAsync(IPAddress.Parse(offer.Address), offer.DiskPort, _ending.Token);
            await far.SendAsync(Encoding.ASCII.GetBytes(offer.DiskToken + "\n"), _ending.Token);
            await SocketRelay.RunAsync(near, far, count => Interlocked.Add(ref _bytes, count), _ending.Token);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // QEMU sees the closed socket and says what it means for the disk.
            near.Dispose();
            far.Dispose();
        }
    }
}
