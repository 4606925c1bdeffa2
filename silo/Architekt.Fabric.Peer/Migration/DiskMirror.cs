using System.Net;
using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Nbd;
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

    /// <summary>Room for the magic numbers and flags an NBD server begins with (doc/proto.md, Newstyle negotiation).</summary>
    private const int GreetingBytes = 18;

    private static readonly TimeSpan AbortPoll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ConnectDeadline = TimeSpan.FromSeconds(5);

    /// <summary>While QEMU opens the destination's export it does nothing else, and soon the guest would feel that.</summary>
    private static readonly TimeSpan OpenDeadline = TimeSpan.FromSeconds(1);

    private readonly VmMachine _machine;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _relaying;
    private readonly TimeProvider _time;
    private Task<QmpEvent>? _ready;
    private Task<QmpEvent>? _failed;
    private long _bytes;

    private DiskMirror(VmMachine machine, Socket far, Memory<byte> greeting, int? qemuUser, TimeProvider time)
    {
        _machine = machine;
        _time = time;
        var path = machine.Folder.InQemu(RelaySocket);
        File.Delete(path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        FileOwner.Give(path, qemuUser);
        _listener.Listen();
        _relaying = RelayAsync(far, greeting);
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
        var (far, greeting) = await ConnectAsync(offer, time, cancellationToken);
        var mirror = new DiskMirror(machine, far, greeting, qemuUser, time);
        try
        {
            await mirror.OpenAsync(cancellationToken);
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

        // Tells the destination that it may close its export, while the device state is still to come.
        await _ending.CancelAsync();
    }

    /// <summary>Ends the mirror, wherever it is; the guest's own disk is not touched.</summary>
    public async Task AbortAsync()
    {
        // First: QEMU would wait for a destination that does not answer, and everything below waits for QEMU.
        await _ending.CancelAsync();
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
        await _relaying;
        _ending.Dispose();
    }

    /// <summary>Connects here and not when QEMU asks, because all of QEMU waits while it opens an export.</summary>
    private static async Task<(Socket Far, Memory<byte> Greeting)> ConnectAsync(
        PeerOffer offer, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(ConnectDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await far.ConnectAsync(IPAddress.Parse(offer.Address), offer.DiskPort, either.Token);
            await far.SendAsync(Encoding.ASCII.GetBytes(offer.DiskToken + "\n"), either.Token);
            var greeting = new byte[GreetingBytes];
            var count = await far.ReceiveAsync(greeting, either.Token);
            return count > 0
                ? (far, greeting.AsMemory(0, count))
                : throw PeerException.Failed($"The destination's disk at {offer.Address} refused the connection.");
        }
        catch (Exception error)
        {
            far.Dispose();
            if (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw PeerException.Failed($"The destination's disk at {offer.Address} did not answer within {ConnectDeadline.TotalSeconds:0} s.");
            throw;
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        await using var deadline = _time.CreateTimer(_ => _ending.CancelAsync(), null, OpenDeadline, Timeout.InfiniteTimeSpan);
        try
        {
            await _machine.Qmp.BlockdevAddNbdAsync(FarNode, _machine.Folder.InQemu(RelaySocket), Export, cancellationToken);
        }
        catch (QmpException) when (_ending.IsCancellationRequested)
        {
            throw PeerException.Failed($"The destination's disk could not be opened within {OpenDeadline.TotalSeconds:0} s.");
        }
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

    /// <summary>QEMU opens one connection and, when that is lost, no other.</summary>
    private async Task RelayAsync(Socket far, Memory<byte> greeting)
    {
        // QEMU flushes all its nodes as it stops the guest, this one over the network and before anything else happens. Nothing depends on that: the
        // destination flushes its disk by itself, while the device state is on its way (DiskReceiver.CloseExportAsync).
        var offered = new ExportFlagsFilter(NbdFeatures.Flush | NbdFeatures.ForceUnitAccess);
        offered.Apply(greeting.Span);
        using (far)
        {
            try
            {
                using var near = await _listener.AcceptAsync(_ending.Token);
                while (greeting.Length > 0) greeting = greeting[await near.SendAsync(greeting, _ending.Token)..];
                await SocketRelay.RunAsync(near, far, count => Interlocked.Add(ref _bytes, count), _ending.Token, offered.Apply);
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // QEMU sees the closed socket and says what it means for the disk.
            }
        }
    }
}
