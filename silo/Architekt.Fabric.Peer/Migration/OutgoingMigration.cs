using System.Diagnostics;
using System.Net;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Qemu;
using FileGate = Architekt.Fabric.Processes.FileGate;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// The source's side of one migration (docs/migration.md). Until the FLUSH of the device state is sent the destination cannot have a
/// machine that could run, so any failure before lets the guest go on by itself; after it, only the fabric can tell who goes on.
/// </summary>
internal sealed class OutgoingMigration : IAsyncDisposable
{
    private static readonly TimeSpan SwitchDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Between two rounds while QEMU gets ready to stop the guest: less would take more from both than there is to win.</summary>
    private static readonly TimeSpan RoundPace = TimeSpan.FromMilliseconds(2);
    private readonly VmMachine _machine;
    private readonly PeerInstance _instance;
    private readonly PeerCopy _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileGate? _gate;
    private readonly CancellationTokenSource _switching = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly Task _copying;
    private NbdMultiConnection? _memory;
    private NbdClient? _state;
    private DirtyTracker? _ownTracker;
    private DiskMirror? _disk;
    private PreCopy? _preCopy;
    private GuestFrames? _frames;
    private bool _isUndone;
    private int _disposeBegun;

    private OutgoingMigration(VmMachine machine, PeerInstance instance, PeerCopy options, TimeProvider time, ILogger logger, FileGate? gate)
    {
        _machine = machine;
        _instance = instance;
        _options = options;
        _time = time;
        _logger = logger;
        _gate = gate;
        _copying = Task.Run(CopyAsync);
    }

    public string Operation => _options.Operation;

    public TransferLog Transfer { get; } = new();

    /// <summary>When the guest stopped, by QEMU's clock; null before.</summary>
    public DateTimeOffset? StoppedAt { get; private set; }

    /// <summary>Whether the destination may have everything it needs to run.</summary>
    public bool IsHandedOver { get; private set; }

    public static OutgoingMigration Start(
        VmMachine machine, PeerInstance instance, PeerCopy options, TimeProvider time, ILogger logger, FileGate? gate) =>
        machine.Armed is null
            ? throw PeerException.Refused(machine.Tracking.Reason ?? "This kernel cannot track the pages a guest writes.")
            : new OutgoingMigration(machine, instance, options, time, logger, gate);

    /// <summary>Stops the guest, sends what is left, and returns once the destination has loaded it all.</summary>
    public async Task<PeerSwitched> SwitchAsync(bool verify)
    {
        await _switching.CancelAsync();
        await _copying;
        if (Transfer.Latest.Error is { } error) throw PeerException.Failed(error);
        if (_preCopy is null) throw PeerException.Conflict("Copying has not begun.");
        using var deadline = new CancellationTokenSource(SwitchDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _aborted.Token);
        try
        {
            return await SwitchAsync(verify, either.Token);
        }
        catch (Exception failure)
        {
            if (!IsHandedOver) await UndoAsync();
            if (failure is NbdClientException or NbdConnectionException) throw PeerException.Failed($"The destination did not take what it was sent: {failure.Message}");
            throw;
        }
    }

    /// <summary>Undoes whatever was begun; the guest runs when it returns. Only to be called when the destination cannot run.</summary>
    public async Task UndoAsync()
    {
        if (_isUndone) return;
        _isUndone = true;
        await _aborted.CancelAsync();
        await _copying;
        await _machine.CancelDeviceStateAsync(_time);
        if (_disk is not null) await _disk.AbortAsync();
        await _machine.GoOnAsync(_time);
        IsHandedOver = false;
        await DisposeAsync();
    }

    /// <summary>After the commit: sends on what arrived for the guest while it stood still, unless that has happened. Returns the number of frames.</summary>
    public Task<int> ForwardFramesAsync() => _frames?.FinishAsync() ?? Task.FromResult(0);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposeBegun, 1) == 1) return;
        await _aborted.CancelAsync();
        await _copying;
        if (_disk is not null) await _disk.DisposeAsync();
        if (_state is not null) await _state.DisposeAsync();
        if (_memory is not null) await _memory.DisposeAsync();
        _ownTracker?.Dispose();
        _aborted.Dispose();
        _switching.Dispose();
        if (_frames is not null) await _frames.DisposeAsync();
        _frames = null;
    }

    private async Task CopyAsync()
    {
        try
        {
            var destination = new IPEndPoint(IPAddress.Parse(_options.Offer.Address), _options.Offer.Port);
            _memory = await NbdMultiConnection.ConnectAsync(destination, _options.Offer.MemoryExport, _options.Connections, cancellationToken: _aborted.Token);
            _state = await NbdClient.ConnectAsync(destination, _options.Offer.StateExport, cancellationToken: _aborted.Token);
            if (_memory.Size != _machine.Memory.Length)
                throw PeerException.Failed($"The destination offers {_memory.Size} bytes of RAM for a guest of {_machine.Memory.Length}.");

            // Once more, because a machine that came in by a migration was told not to pause.
            await _machine.Qmp.MigrateSetCapabilitiesAsync(
                new MigrationCapabilities { IgnoreShared = true, PauseBeforeSwitchover = true }, _aborted.Token);
            if (_options.Offer.DiskPort != 0)
                _disk = await DiskMirror.StartAsync(_machine, _options.Offer, _instance.QemuUserId, _time, _aborted.Token);
            if (_machine.Fill is not null) await _machine.Fill.CompleteAsync(_aborted.Token);
            var preCopy = new PreCopy(_machine.Memory, BeginTracking(), new MemoryPusher(_machine.Memory, _memory, _time), _options, Transfer, _time, _logger);
            var pass = FirstPass.Plan(_machine.Memory, _machine.Bases, _options.Offer.BaseName);
            var bases = MemoryBases.Leaving(_machine.Bases, MemoryBases.VisitName(_instance, Operation), _machine.Memory.Length);
            await preCopy.RunFirstPassAsync(pass, () => _disk?.Bytes ?? 0, _aborted.Token);
            await PassAsync("copying", _aborted.Token);
            await SendBasesAsync(destination, bases);
            _preCopy = preCopy;
            await preCopy.RunAsync(() => _disk?.IsReady ?? true, () => _disk?.Bytes ?? 0, _switching.Token, _aborted.Token);
        }
        catch (Exception error)
        {
            if (!_aborted.IsCancellationRequested) PeerLog.CopyFailed(_logger, Operation, error);
            var reason = error switch
            {
                PeerException known => known.Message,
                OperationCanceledException => "it was cancelled",
                NbdConnectionException or NbdClientException or System.Net.Sockets.SocketException => $"the connection to the destination broke: {error.Message}",
                _ => error.Message,
            };
            Transfer.Report(latest => latest with { IsConverged = false, Error = reason });
        }
    }

    private async Task<PeerSwitched> SwitchAsync(bool verify, CancellationToken cancellationToken)
    {
        var preCopy = _preCopy!;
        var qmp = _machine.Qmp;
        using var stateStream = new DeviceStateStream(_machine, _instance.QemuUserId);
        if (_machine.Tap is not null && _instance.Bridge is not null) _frames = GuestFrames.Capture(_machine.Tap, _instance, _logger);

        await Task.WhenAll(DiskFile.WriteOutAsync(_instance.OverlayDiskPath), _memory!.FlushAsync(cancellationToken).AsTask());

        // What the guest wrote while it got ready need not be sent in the pause.
        await preCopy.HurriedRoundAsync(cancellationToken);
        var roundTripMs = await MeasureRoundTripAsync(cancellationToken);
        await PassAsync("switching", cancellationToken);
        _frames?.Discard();

        var stopping = qmp.WaitForEventAsync(QmpEventNames.Stop, filter: null, cancellationToken);
        var preSwitchover = qmp.WaitForMigrationAsync(MigrationStatus.PreSwitchover, cancellationToken);
        var sending = stateStream.SendToAsync(_state!, cancellationToken);
        await qmp.MigrateAsync(stateStream.Uri, cancellationToken);

        // QEMU takes some milliseconds for what is not a device before it stops the guest, who goes on writing meanwhile.
        do await preCopy.HurriedRoundAsync(cancellationToken);
        while (await Task.WhenAny(stopping, Task.Delay(RoundPace, _time, cancellationToken)) != stopping);
        StoppedAt = (await stopping).Timestamp;
        _frames?.FollowFrom(StoppedAt.Value);

        // QEMU still finishes what the guest had asked of its disk, and answers nobody until it has. That may write to RAM: so this is not the
        // last scan yet.
        var diskBegan = Stopwatch.GetTimestamp();
        var finishingDisk = _disk?.FinishAsync(cancellationToken) ?? Task.CompletedTask;
        var (stopBytes, _, stopRoundMs) = await preCopy.HurriedRoundAsync(cancellationToken);
        Require(await preSwitchover, MigrationStatus.PreSwitchover);
        var (lastBytes, _, lastRoundMs) = await preCopy.HurriedRoundAsync(cancellationToken);
        await finishingDisk;
        await PassAsync("stopped", cancellationToken);
        var diskMs = _disk is null ? 0 : Stopwatch.GetElapsedTime(diskBegan).TotalMilliseconds;

        var stateBegan = Stopwatch.GetTimestamp();
        var completed = qmp.WaitForMigrationAsync(MigrationStatus.Completed, cancellationToken);
        var isHeldBack = verify || _machine.HoldsBackState;
        if (isHeldBack) stateStream.HoldBack();
        await qmp.MigrateContinueAsync(MigrationStatus.PreSwitchover, cancellationToken);
        var stateBytes = await sending;
        Require(await completed, MigrationStatus.Completed);

        // Saving device state may touch RAM: one more scan, or those pages would be lost. A device that has been loaded before them may be wrong.
        var (afterState, _, _) = await preCopy.HurriedRoundAsync(cancellationToken);
        if (afterState > 0 && !isHeldBack)
        {
            _machine.HoldsBackState = true;
            throw PeerException.Failed($"Writing out the device state changed {afterState} bytes of the guest's RAM; migrate it again, it will be loaded last then.");
        }

        var stateMs = Stopwatch.GetElapsedTime(stateBegan).TotalMilliseconds;

        var digesting = verify ? Task.Run(() => _machine.Memory.ComputeDigest(cancellationToken), cancellationToken) : Task.FromResult<string?>(null)!;
        if (verify) await digesting;
        IsHandedOver = true;
        await PassAsync("handing-over", cancellationToken);
        var sourceMs = (_time.GetUtcNow() - StoppedAt.Value).TotalMilliseconds;
        await _state!.FlushAsync(cancellationToken);
        lastBytes += stopBytes + afterState;
        PeerLog.Switched(_logger, sourceMs, lastBytes, afterState, stateBytes);
        return new PeerSwitched(
            sourceMs, stopRoundMs + lastRoundMs, diskMs, stateMs, roundTripMs, preCopy.Counters(_disk?.Bytes ?? 0, stateBytes, lastBytes), await digesting);
    }

    /// <summary>A FLUSH before there is any device state is answered at once.</summary>
    private async Task<double> MeasureRoundTripAsync(CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        await _state!.FlushAsync(cancellationToken);
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <summary>From here on all writes are tracked; what is known of bases is right until then.</summary>
    private DirtyTracker BeginTracking()
    {
        if (_machine.Tracker is { } always)
        {
            var scan = always.Collect([]);
            return scan.Outcome == DirtyScanOutcome.Complete ? always : throw PeerException.Failed($"The guest's writes cannot be tracked any more ({scan.Outcome}); it stays where it is.");
        }

        _ownTracker = DirtyTracker.Attach(_machine.Armed!);
        _ownTracker.ProtectAll();
        return _ownTracker;
    }

    /// <summary>Between the first pass and the rounds: what is sent from now on is added there to what differs.</summary>
    private async Task SendBasesAsync(IPEndPoint destination, IReadOnlyList<KnownBase> bases)
    {
        if (_options.Offer.BasesExport is not { } name) return;
        await using var export = await NbdClient.ConnectAsync(destination, name, cancellationToken: _aborted.Token);
        await export.WriteAsync(0, KnownBaseFormat.Write(bases), cancellationToken: _aborted.Token);
        await export.FlushAsync(_aborted.Token);
    }

    /// <summary>Where a test may hold it, see <see cref="FileGate"/>; nothing at all anywhere else.</summary>
    private Task PassAsync(string point, CancellationToken cancellationToken) =>
        _gate?.PassAsync($"{Operation}.{point}", cancellationToken) ?? Task.CompletedTask;

    private static void Require(QmpEvent migration, MigrationStatus wanted)
    {
        if (migration.MigrationStatus != wanted)
            throw PeerException.Failed($"QEMU could not write out the device state: its migration is {migration.MigrationStatus}, not {wanted}.");
    }
}
