using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>
/// The right of one guest to run, where it is a lease. Everything that lets the guest run goes through here, and nothing that this process fails to do lets it run on: the
/// switch inside QEMU ends it at <see cref="LeaseTerm.End"/> without this process.
/// </summary>
/// <param name="end">Ends the instance for a reason: QEMU did not stop, or was in the middle of something that cannot be stopped.</param>
/// <param name="canStop">Whether the guest can be stopped now and go on later.</param>
/// <param name="isToRun">Whether the guest is to run, apart from its lease.</param>
/// <param name="logger">Told of what is done.</param>
internal sealed class GuestLease(Func<string, Task> end, Func<bool> canStop, Func<bool> isToRun, ILogger logger) : IDisposable
{
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(1);

    // A timer of .NET stands still while the machine is suspended, so it is never waited for long.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(500);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly LeaseTerm _term = new();
    private readonly CancellationTokenSource _ending = new();
    private VmMachine? _machine;
    private Task? _watching;
    private bool _isHeld;

    public bool HasRunOut => _term.Until != TimeSpan.Zero && !_term.Allows(BootClock.Now);

    public bool IsInForce => _term.Allows(BootClock.Now);

    public bool IsStopped => _term.IsStopped;

    /// <summary>The guest is in this QEMU. It stands still, and nothing but <see cref="RunAsync"/> lets it run.</summary>
    public void Attach(VmMachine machine)
    {
        _machine = machine;
        _watching ??= WatchAsync();
    }

    /// <summary>More time. A guest that was stopped because it had none goes on.</summary>
    public async Task ExtendAsync(TimeSpan until)
    {
        await _turn.WaitAsync(_ending.Token);
        try
        {
            if (!_term.IsLonger(until) || until <= BootClock.Now) return;

            // First the switch: were it the other way round, QEMU would be killed in time that was granted.
            if (_machine is not null && !_term.IsStopped) await SetSwitchAsync(until + LeaseTerm.Grace);
            _term.Extend(until);
            if (_machine is null || !_term.IsStopped || _isHeld || !isToRun()) return;
            await ArmAsync();
            await _machine.Qmp.ContinueAfterMigrationAsync(TimeProvider.System, _ending.Token);
            _term.IsStopped = false;
            PeerLog.LeaseRenewed(logger);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Lets the guest run by <paramref name="run"/>, if it may.</summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> run)
    {
        await _turn.WaitAsync(_ending.Token);
        try
        {
            if (!_term.Allows(BootClock.Now)) throw PeerException.Conflict("The guest has no lease, or it has run out: it may not run.");
            await ArmAsync();
            _term.IsStopped = false;
            return await run();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Stops the guest for something else, for which it has to stand still until <see cref="GoOnAsync"/>, whatever becomes of its lease.</summary>
    public async Task HoldAsync(Func<Task> stop)
    {
        await _turn.WaitAsync(_ending.Token);
        try
        {
            _isHeld = true;
            await stop();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Lets a guest go on that was stopped for something else; without a lease it does once it has one.</summary>
    public async Task GoOnAsync(Func<Task> run)
    {
        await _turn.WaitAsync(_ending.Token);
        try
        {
            _isHeld = false;
            if (!_term.Allows(BootClock.Now))
            {
                if (!_term.IsStopped) await StandStillAsync(_ending.Token);
                return;
            }

            await ArmAsync();
            await run();
            _term.IsStopped = false;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        if (_ending.IsCancellationRequested) return;
        _ending.Cancel();
    }

    private Task ArmAsync() => SetSwitchAsync(_term.End);

    private async Task SetSwitchAsync(TimeSpan? at)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        deadline.CancelAfter(AnswerDeadline);
        try
        {
            await _machine!.Lease!.SetAsync(at, deadline.Token);
        }
        catch (OperationCanceledException) when (!_ending.IsCancellationRequested)
        {
            throw PeerException.Failed($"QEMU did not take its lease within {AnswerDeadline.TotalSeconds} s: it does not run, or its machine is overloaded.");
        }
    }

    private async Task StandStillAsync(CancellationToken cancellationToken)
    {
        await _machine!.Qmp.StopAsync(cancellationToken);
        _term.IsStopped = true;
        PeerLog.LeaseRanOut(logger);

        // Only this process lets it go on, so it can wait for another lease as long as it takes.
        await SetSwitchAsync(null);
    }

    private async Task WatchAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            var left = _term.Left(BootClock.Now) ?? LongestWait;
            if (left > TimeSpan.Zero)
                await Task.Delay(left < LongestWait ? left : LongestWait, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                await StopAsync();
        }
    }

    private async Task StopAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        deadline.CancelAfter(AnswerDeadline);
        try
        {
            await _turn.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            if (!_ending.IsCancellationRequested) await end("its lease ran out while QEMU did not answer");
            return;
        }

        string? failure = null;
        try
        {
            if (_term.Left(BootClock.Now) != TimeSpan.Zero) return;
            if (!canStop())
            {
                failure = "its lease ran out in the middle of a hand-over";
                return;
            }

            await StandStillAsync(deadline.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or QmpException or QmpConnectionException or PeerException or IOException)
        {
            failure = $"its lease ran out and QEMU could not be stopped in an orderly way: {error.Message}";
        }
        finally
        {
            _turn.Release();
            if (failure is not null && !_ending.IsCancellationRequested) await end(failure);
        }
    }
}
