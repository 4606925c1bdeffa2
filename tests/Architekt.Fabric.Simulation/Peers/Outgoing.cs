using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Peers;

/// <summary>The source's side of one migration: the steps, the order and the way back of the peer's <c>OutgoingMigration</c>.</summary>
internal sealed class Outgoing : IDisposable
{
    private const long SwitchDeadline = 10_000_000;
    private readonly SimPeer _peer;
    private readonly SimPeer _destination;
    private readonly World _world;
    private readonly CancellationTokenSource _aborted = new();
    private readonly Task _copying;
    private TaskCompletionSource _changed = new();
    private long _scanned;
    private bool _isSwitching;
    private bool _isUndone;

    public Outgoing(SimPeer peer, SimPeer destination, string operation, World world)
    {
        _peer = peer;
        _destination = destination;
        _world = world;
        Operation = operation;
        _copying = CopyAsync();
    }

    public string Operation { get; }

    public bool IsHandedOver { get; private set; }

    public (long Version, bool IsConverged, string? Error) Latest { get; private set; }

    public async Task WaitBeyondAsync(long version)
    {
        if (Latest.Version != version) return;
        await Task.WhenAny(_changed.Task, _peer.Process.DelayAsync(1_000_000));
    }

    public async Task SwitchAsync()
    {
        _isSwitching = true;
        _changed.TrySetResult();
        await _copying;
        if (Latest.Error is { } error) throw new FabricException(FabricErrorCode.Failed, error);
        _world.Scheduler.After(SwitchDeadline, _peer.Process, Expire);
        try
        {
            await HandOverAsync();
        }
        catch (Exception) when (!IsHandedOver)
        {
            await UndoAsync();
            throw;
        }
    }

    /// <summary>The guest runs when it returns.</summary>
    public async Task UndoAsync()
    {
        if (_isUndone) return;
        _isUndone = true;
        Abort();
        await _copying;
        await _peer.Process.DelayAsync(_world.Scheduler.Pick(200, 5_000));
        await _peer.GoOnAsync();
        IsHandedOver = false;
    }

    public void Abort() => _aborted.Cancel();

    public void Dispose() => _aborted.Dispose();

    private void Expire()
    {
        if (!_isUndone) Abort();
    }

    private async Task CopyAsync()
    {
        try
        {
            await SendAsync(Point.Connect, static () => Task.CompletedTask);
            await RoundAsync(Enumerable.Range(0, SimGuest.Pages), slowness: _world.Scheduler.Chance(3) ? 40_000_000 : 300_000);
            for (var round = _world.Scheduler.Pick(1, 4); round > 0; round--)
            {
                Report(isConverged: false, null);
                await RoundAsync(_peer.Guest.WrittenSince(_scanned), slowness: 20_000);
            }

            Report(isConverged: true, null);

            // Rounds go on until somebody says switch; one that begins now and then is enough to tell.
            while (!_isSwitching && !_aborted.IsCancellationRequested) await Task.WhenAny(_changed.Task, _peer.Process.DelayAsync(1_000_000));
        }
        catch (Exception error)
        {
            Report(isConverged: false, $"the connection to the destination broke: {error.Message}");
        }
    }

    private async Task HandOverAsync()
    {
        var bug = _world.Bug;
        await RoundAsync(_peer.Guest.WrittenSince(_scanned), slowness: 3_000);
        if (bug != SeededBug.HandOverBeforeStop) _peer.Guest.Stand();
        if (bug != SeededBug.NoFinalScan)
        {
            await RoundAsync(_peer.Guest.WrittenSince(_scanned), slowness: 2_000);

            // Writing out the device state; then once more.
            await _peer.Process.DelayAsync(_world.Scheduler.Pick(500, 3_000));
            await RoundAsync(_peer.Guest.WrittenSince(_scanned), slowness: 500);
        }

        IsHandedOver = true;
        await SendAsync(Point.Flush, () => _destination.LoadAsync(_peer.Guest.Disk));
    }

    /// <summary>One scan, and what it found is sent: scanned and protected first, read after.</summary>
    private async Task RoundAsync(IEnumerable<int> found, long slowness)
    {
        var guest = _peer.Guest;
        if (!guest.IsAlive) throw new FabricException(FabricErrorCode.Failed, "QEMU has ended");
        int[] pages = [.. found];
        var contents = new long[pages.Length];
        if (_world.Bug == SeededBug.ReadBeforeScan)
        {
            Read();
            await _peer.Process.DelayAsync(_world.Scheduler.Pick(200, slowness + 200));
            _scanned = guest.Written;
        }
        else
        {
            _scanned = guest.Written;
            await _peer.Process.DelayAsync(_world.Scheduler.Pick(200, slowness + 200));
            Read();
        }

        await SendAsync(Point.Round, () => _destination.ReceivePagesAsync(pages, contents));

        void Read()
        {
            for (var i = 0; i < pages.Length; i++) contents[i] = guest.Read(pages[i]);
        }
    }

    private Task SendAsync(Point point, Func<Task> body) => _world.DataAsync(point, _peer, _destination, body, _aborted.Token);

    private void Report(bool isConverged, string? error)
    {
        Latest = (Latest.Version + 1, isConverged, error);
        var changed = _changed;
        _changed = new TaskCompletionSource();
        changed.TrySetResult();
    }
}
