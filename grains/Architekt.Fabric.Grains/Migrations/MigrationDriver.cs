using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>
/// Drives one migration: feeds <see cref="MigrationMachine"/>, records each phase before it is acted on, and tells watchers. Plain code
/// without Orleans, to be used from one scheduler; that nobody else drives the same migration is likely but never relied on.
/// </summary>
internal sealed partial class MigrationDriver(
    string operation,
    Func<string, IHostControl> hosts,
    IPackageEnsurer packages,
    IVmStore vms,
    IOperationStore operations,
    IMigrationKeeper keeper,
    TimeProvider time,
    ILogger logger,
    IMigrationGate? gate = null) : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RunDeadline = TimeSpan.FromSeconds(30);

    /// <summary>How long a phase within the pause may take before those who watch are told that it has begun.</summary>
    private static readonly TimeSpan UntoldFor = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _cancelled = new();
    private Task? _driving;
    private ProgressLog? _progress;
    private MigrationState _state = MigrationMachine.Begin();

    /// <summary>Whether it drives, or has driven, the migration.</summary>
    public bool IsDriving => _driving is not null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_driving is not null) return;
        var plan = await FindPlanAsync(cancellationToken);
        var recorded = await operations.FindAsync(operation, cancellationToken);
        if (_driving is not null || recorded is not { Outcome: OperationOutcome.Running }) return;

        _progress = new ProgressLog(time, plan.RequestedAt);
        _state = recorded.Phase == MigrationPhase.Check ? MigrationMachine.Begin() : MigrationMachine.Recover(recorded.Phase);
        _driving = DriveAsync(plan);
    }

    public async Task<MigrationProgress> GetAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_progress is not null) return _progress.Latest;
        var result = await operations.FindResultAsync(operation, cancellationToken)
            ?? throw FabricException.NotFound($"Operation '{operation}' has no result.");
        return new MigrationProgress(long.MaxValue, MigrationPhase.Done, result.TotalMs, result.Transfer, 0, 0, 0, null, result);
    }

    public async IAsyncEnumerable<MigrationProgress> WatchAsync(
        long afterSequence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var latest = await GetAsync(cancellationToken);
        if (_progress is null) yield return latest;
        else await foreach (var report in _progress.WatchAsync(afterSequence, cancellationToken)) yield return report;
    }

    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_driving is null || _progress?.Latest.Result is not null)
        {
            var ended = await operations.FindAsync(operation, cancellationToken);
            var where = ended?.Vm is { } vm && await vms.FindAsync(vm, cancellationToken) is { } row ? $"; '{vm}' is on '{row.Info.Host}' now" : "";
            throw EndedAlready(ended?.Outcome, where);
        }

        if (!MigrationMachine.CanCancel(_state)) throw await TooLateAsync(cancellationToken);
        _state = MigrationMachine.Cancel(_state);
        LogCancelling(operation, _state.Phase);
        EndTheActUnderWay();
        await _driving;
        if (_progress!.Latest.Result is not { } result)
            throw FabricException.Unavailable($"Migration '{operation}' could not be driven to its end now, so whether it is cancelled is not known yet: cancel it again.");

        // A commit whose answer was lost may turn out to have happened.
        if (_state.IsCommitted) throw await TooLateAsync(cancellationToken);

        // Nor is it certain that nobody else has ended it in the meantime.
        if (result.Outcome != OperationOutcome.Cancelled) throw EndedAlready(result.Outcome);
    }

    public void Dispose() => _cancelled.Dispose();

    /// <summary>On this scheduler: a cancellation from a pool's thread could meet the driver in the middle of something.</summary>
    private void EndTheActUnderWay() => _cancelled.Cancel();

    private FabricException EndedAlready(OperationOutcome? outcome, string where = "") =>
        FabricException.Conflict($"Migration '{operation}' has ended already: {outcome.ToString()?.ToLowerInvariant()}{where}.");

    private async Task<FabricException> TooLateAsync(CancellationToken cancellationToken)
    {
        var plan = await FindPlanAsync(cancellationToken);
        return FabricException.Conflict(
            $"Migration '{operation}' cannot be cancelled any more: '{plan.Vm}' belongs to '{plan.Destination}' or is about to; migrate it back instead.");
    }

    private async Task DriveAsync(MigrationPlan plan)
    {
        try
        {
            await DriveToTheEndAsync(plan);
        }
        catch (Exception error)
        {
            // Nothing was decided that is not in Postgres: the reminder, a watcher or the next silo drives on from there.
            LogDriveFailed(plan.Operation, error);
            keeper.Lost();
        }
    }

    private async Task DriveToTheEndAsync(MigrationPlan plan)
    {
        await keeper.BegunAsync(plan);
        var measured = new MigrationMeasurements(time);
        var acts = new MigrationActs(plan, hosts(plan.Source), hosts(plan.Destination), packages, vms, measured, _progress!, time, logger);
        DateTimeOffset? runDeadline = null;
        while (_state.Act != MigrationAct.End)
        {
            var act = _state.Act;
            if (gate is not null) await gate.PassAsync(plan.Operation, act);
            if (act == MigrationAct.Run) runDeadline ??= time.GetUtcNow() + RunDeadline;
            var (result, failure) = await ActAsync(plan, acts, act);
            var isUnknown = result == ActResult.Unknown;
            if (act == MigrationAct.Run && isUnknown && time.GetUtcNow() > runDeadline) (result, failure) = (ActResult.Failed, ToOutOfReach(plan, failure!));
            measured.Leave(_state.Phase);
            _state = MigrationMachine.Advance(_state, result, failure);
            if (_state.Act == act) await Task.Delay(RetryDelay, time);
            else if (act == MigrationAct.Run && _state.Failure is { } broken) await RecordNotRunAsync(plan, isUnknown, broken.Reason);
        }

        if (gate is not null) await gate.PassAsync(plan.Operation, MigrationAct.End);
        var outcome = await EndAsync(measured.ToResult(plan, _state, _progress!.ElapsedMs));
        _progress.Report(latest => latest with { Phase = MigrationPhase.Done, Transfer = outcome.Transfer, RemainingBytes = 0, Result = outcome });
        await keeper.EndedAsync(plan, _state.IsCommitted);
        LogEnded(plan.Operation, plan.Vm, outcome.Outcome, outcome.RunsOn, outcome.Reason);
    }

    private async Task<(ActResult Result, MigrationFailure? Failure)> ActAsync(
        MigrationPlan plan, MigrationActs acts, MigrationAct act, bool isRehearsal = false)
    {
        if (act is MigrationAct.Commit or MigrationAct.Run)
        {
            // The commit records itself and what follows it: one write in the pause, not three. Recovery treats Switch and Commit alike.
            // Nothing may be cut short from here on, half-done is worse than late; and telling those who watch takes time from the pause.
            var acting = acts.DoAsync(act, isRehearsal ? _cancelled.Token : CancellationToken.None, isRehearsal);
            if (await Task.WhenAny(acting, Task.Delay(UntoldFor, time)) != acting) ReportPhase();
            return await acting;
        }

        ReportPhase();
        await RecordAsync(plan, act);
        var done = await acts.DoAsync(act, act < MigrationAct.Commit ? _cancelled.Token : CancellationToken.None);
        return act == MigrationAct.Prepare && done.Result == ActResult.Done && !plan.IsStopped ? await RehearseAsync(plan, acts) : done;
    }

    /// <summary>The pause must not be the first time that its acts are done, are compiled, or use a connection.</summary>
    private async Task<(ActResult Result, MigrationFailure? Failure)> RehearseAsync(MigrationPlan plan, MigrationActs acts)
    {
        try
        {
            foreach (var act in new[] { MigrationAct.Switch, MigrationAct.Commit, MigrationAct.Run })
            {
                var (_, failure) = act == MigrationAct.Switch
                    ? await acts.DoAsync(act, _cancelled.Token, isRehearsal: true)
                    : await ActAsync(plan, acts, act, isRehearsal: true);
                if (failure is not null) return (ActResult.Failed, failure with { Phase = MigrationPhase.Prepare });
            }

            return (ActResult.Done, null);
        }
        catch (Exception error)
        {
            LogNotRehearsed(plan.Operation, error);
            return (ActResult.Failed, MigrationActs.ToFailure(MigrationPhase.Prepare, error));
        }
    }

    private static MigrationFailure ToOutOfReach(MigrationPlan plan, MigrationFailure failure) => failure with
    {
        Reason = $"'{plan.Vm}' belongs to '{plan.Destination}' now, which cannot be told to run it; it goes on there once its silo is back ({failure.Reason})",
    };

    private void ReportPhase() => _progress!.Report(latest => latest with { Phase = _state.Phase, Message = _state.Failure?.Reason });

    private async Task RecordAsync(MigrationPlan plan, MigrationAct act)
    {
        if (act is MigrationAct.Withdraw or MigrationAct.RollBack)
        {
            // Postgres may be the very thing that failed, and Withdraw decides on its own row.
            try { await operations.SetPhaseAsync(plan.Operation, _state.Phase, CancellationToken.None); }
            catch (FabricException error) when (error.IsTransient) { LogDriveFailed(plan.Operation, error); }
            return;
        }

        if (act == MigrationAct.Clean) return;
        await operations.SetPhaseAsync(plan.Operation, _state.Phase, CancellationToken.None);
    }

    /// <summary>A destination that has not answered may run the guest all the same: its own silo knows, and says so when it can.</summary>
    private Task<bool> RecordNotRunAsync(MigrationPlan plan, bool isUnknown, string reason) => vms.SetStateAsync(
        plan.Vm,
        plan.NextEpoch,
        isUnknown ? VmState.Unknown : VmState.Failed,
        reason,
        isUnknown
            ? $"'{plan.Destination}' owns '{plan.Vm}' and did not say whether it runs: {reason}"
            : $"'{plan.Vm}' could not be run on '{plan.Destination}': {reason}",
        CancellationToken.None);

    /// <summary>Only the first end counts, and it may have been another driver's: what is recorded is what everybody is told.</summary>
    private async Task<MigrationResult> EndAsync(MigrationResult result)
    {
        while (true)
        {
            try
            {
                await operations.EndAsync(result, CancellationToken.None);
                return await operations.FindResultAsync(operation, CancellationToken.None) ?? result;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                LogDriveFailed(result.Operation, error);
                await Task.Delay(RetryDelay, time);
            }
        }
    }

    private async Task<MigrationPlan> FindPlanAsync(CancellationToken cancellationToken) =>
        await operations.FindPlanAsync(operation, cancellationToken)
            ?? throw FabricException.NotFound($"There is no operation '{operation}'.");

    [LoggerMessage(1102, LogLevel.Error, "Migration {Operation} could not be driven on now")]
    private partial void LogDriveFailed(string operation, Exception error);

    [LoggerMessage(1106, LogLevel.Warning, "What comes in the pause of migration {Operation} could not be rehearsed")]
    private partial void LogNotRehearsed(string operation, Exception error);

    [LoggerMessage(1107, LogLevel.Information, "Migration {Operation} is being cancelled in {Phase}")]
    private partial void LogCancelling(string operation, MigrationPhase phase);

    [LoggerMessage(1103, LogLevel.Information, "Migration {Operation} of {Vm} ended: {Outcome}, runs on {Host}. {Reason}")]
    private partial void LogEnded(string operation, string vm, OperationOutcome outcome, string host, string? reason);
}
