using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>
/// Drives one checkpoint on the VM's own host. Plain code without Orleans, to be used from one scheduler. There is nothing to take up again: a checkpoint whose silo ended is over, its
/// half-made package is removed when the store is opened again, and the guest was told to go on by its peer.
/// </summary>
/// <param name="operation">Its id.</param>
/// <param name="make">Has the host make the package.</param>
/// <param name="operations">Where it is recorded.</param>
/// <param name="temporary">For VMs that live only for their checkpoint.</param>
/// <param name="time">For waiting, and for how long it took.</param>
/// <param name="logger">Told of what fails.</param>
internal sealed partial class CheckpointDriver(
    string operation,
    Func<CheckpointPlan, CancellationToken, Task<CheckpointReport>> make,
    IOperationStore operations,
    TemporaryVm? temporary,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);
    private readonly CancellationTokenSource _cancelled = new();
    private Task<CheckpointResult>? _driving;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_driving is not null) return;
        var plan = await operations.FindCheckpointPlanAsync(operation, cancellationToken)
            ?? throw FabricException.NotFound($"There is no checkpoint '{operation}'.");
        var recorded = await operations.FindAsync(operation, cancellationToken);
        if (_driving is not null || recorded is not { Outcome: OperationOutcome.Running }) return;
        _driving = recorded.Phase == MigrationPhase.Check
            ? DriveAsync(plan)
            : EndAsync(plan, FabricErrorCode.Failed, "the silo that drove the checkpoint ended in the middle of it");
    }

    public async Task<CheckpointResult?> WaitAsync(int waitMs, CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_driving is null) return await operations.FindCheckpointResultAsync(operation, cancellationToken);
        try
        {
            return await _driving.WaitAsync(TimeSpan.FromMilliseconds(Math.Clamp(waitMs, 0, 10_000)), time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_driving is null or { IsCompleted: true }) throw Ended((await operations.FindAsync(operation, cancellationToken))?.Outcome);
        EndWhatIsUnderWay();
        if (await _driving is not { Outcome: not OperationOutcome.Cancelled } result) return;
        throw Ended(result.Outcome);
    }

    /// <summary>The silo stops: the guest must not be left standing still, nor half a package behind.</summary>
    public async Task GiveUpAsync()
    {
        EndWhatIsUnderWay();
        if (_driving is Task driving) await driving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public void Dispose() => _cancelled.Dispose();

    /// <summary>On this scheduler: a cancellation from a pool's thread could meet the driver in the middle of something.</summary>
    private void EndWhatIsUnderWay() => _cancelled.Cancel();

    private FabricException Ended(OperationOutcome? outcome) =>
        FabricException.Conflict($"Checkpoint '{operation}' has ended already: {outcome?.ToString().ToLowerInvariant()}.");

    private async Task<CheckpointResult> DriveAsync(CheckpointPlan plan)
    {
        try
        {
            if (plan.Temporary is not null)
            {
                await operations.SetPhaseAsync(plan.Operation, MigrationPhase.Prepare, CancellationToken.None);
                await temporary!.BringUpAsync(plan, plan.Temporary, _cancelled.Token);
            }

            await operations.SetPhaseAsync(plan.Operation, MigrationPhase.Copy, CancellationToken.None);
            var report = await make(plan, _cancelled.Token);
            return await EndAsync(plan, Result(plan, OperationOutcome.Succeeded) with
            {
                PauseMs = plan.KeepRunning ? report.PauseMs : null,
                Package = report.Package,
            });
        }
        catch (OperationCanceledException) when (_cancelled.IsCancellationRequested)
        {
            return await EndAsync(plan, Result(plan, OperationOutcome.Cancelled) with { ErrorCode = FabricErrorCode.Cancelled, Reason = "it was cancelled" });
        }
        catch (FabricException error)
        {
            LogFailed(plan.Operation, plan.Vm, error);
            return await EndAsync(plan, error.Code, error.Message);
        }
        catch (Exception error)
        {
            LogFailed(plan.Operation, plan.Vm, error);
            return await EndAsync(plan, FabricErrorCode.Internal, error.Message);
        }
    }

    private CheckpointResult Result(CheckpointPlan plan, OperationOutcome outcome) => new(
        plan.Operation, plan.Vm, plan.Host, plan.Package, outcome, null, null, (time.GetUtcNow() - plan.RequestedAt).TotalMilliseconds, null, null);

    private Task<CheckpointResult> EndAsync(CheckpointPlan plan, FabricErrorCode code, string reason) =>
        EndAsync(plan, Result(plan, OperationOutcome.Failed) with { ErrorCode = code, Reason = reason });

    /// <summary>
    /// What has been done is done, so it is recorded however long Postgres takes to come back. Only the first end counts, and a host that was declared dead meanwhile had its own: what is
    /// recorded is what everybody is told.
    /// </summary>
    private async Task<CheckpointResult> EndAsync(CheckpointPlan plan, CheckpointResult result)
    {
        if (plan.Temporary is not null) await temporary!.EndAsync(plan);
        while (true)
        {
            try
            {
                await operations.EndCheckpointAsync(result, CancellationToken.None);
                if (plan.Temporary is not null) await temporary!.ForgetAsync(plan);
                return await operations.FindCheckpointResultAsync(operation, CancellationToken.None) ?? result;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                LogNotRecorded(result.Operation, error.Message);
                await Task.Delay(RetryDelay, time);
            }
        }
    }

    [LoggerMessage(1401, LogLevel.Warning, "Checkpoint {Operation} of {Vm} failed")]
    private partial void LogFailed(string operation, string vm, Exception error);

    [LoggerMessage(1402, LogLevel.Warning, "The end of checkpoint {Operation} cannot be recorded now: {Reason}")]
    private partial void LogNotRecorded(string operation, string reason);
}
