using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>Does the acts <see cref="MigrationMachine"/> asks for: the only place where a migration touches hosts and Postgres.</summary>
internal sealed partial class MigrationActs(
    MigrationPlan plan,
    IHostControl source,
    IHostControl destination,
    IPackageEnsurer packages,
    IVmStore vms,
    MigrationMeasurements measured,
    ProgressLog progress,
    TimeProvider time,
    ILogger logger)
{
    /// <summary>How long the destination may take to load the state once the source was told to switch, in ms.</summary>
    private const int LoadDeadlineMs = 15_000;

    /// <summary>Long enough for the answer to come later than the question, as it will in the pause.</summary>
    public const int RehearsalWaitMs = 1;

    /// <summary>How often the destination is asked whether it still has the guest, if its answers come late.</summary>
    private const int MostConfirmations = 3;

    /// <summary>An answer that took longer says nothing of now.</summary>
    private static readonly TimeSpan ConfirmationAge = TimeSpan.FromMilliseconds(500);

    /// <summary>A load report that came just now is as good as asking again. Whatever holds up the driver in between makes it ask.</summary>
    private static readonly TimeSpan ReportAge = TimeSpan.FromMilliseconds(5);

    private IncomingOffer? _offer;
    private Task<SwitchReport>? _switching;
    private long _switchAsked;
    private long? _loadReported;
    private bool _isTakenOver;

    /// <param name="act">What to do.</param>
    /// <param name="cancellationToken">Ends it early, where it may be ended.</param>
    /// <param name="isRehearsal">Does what an act of the pause does, up to where it would change something.</param>
    public Task<(ActResult Result, MigrationFailure? Failure)> DoAsync(MigrationAct act, CancellationToken cancellationToken, bool isRehearsal = false) => act switch
    {
        MigrationAct.Check => TryAsync(act, CheckAsync, cancellationToken),

        // Only the disk of a VM that does not run has to move; who owns it is decided in the same way.
        MigrationAct.Copy when plan.IsStopped => TryAsync(act, FetchAsync, cancellationToken),
        MigrationAct.Prepare or MigrationAct.Suspend or MigrationAct.Switch or MigrationAct.Run when plan.IsStopped =>
            Task.FromResult<(ActResult, MigrationFailure?)>((ActResult.Done, null)),
        MigrationAct.Prepare => TryAsync(act, PrepareAsync, cancellationToken),
        MigrationAct.Copy => TryAsync(act, CopyAsync, cancellationToken),
        MigrationAct.Suspend => TryAsync(act, token => source.SuspendAsync(plan, token), cancellationToken),
        MigrationAct.Switch => TryAsync(act, token => SwitchAsync(isRehearsal, token), cancellationToken),
        MigrationAct.Commit => ConfirmAndCommitAsync(isRehearsal, cancellationToken),
        MigrationAct.Run => RunAsync(isRehearsal, cancellationToken),
        MigrationAct.Clean => TryAsync(act, CleanAsync, cancellationToken),
        MigrationAct.Withdraw => WithdrawAsync(cancellationToken),
        MigrationAct.RollBack => TryAsync(act, RollBackAsync, cancellationToken),
        _ => throw new UnreachableException(),
    };

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(
            source.CheckSourceAsync(plan, cancellationToken),
            destination.CheckDestinationAsync(plan, cancellationToken));
        var reasons = answers.SelectMany(static reasons => reasons).ToList();
        if (reasons.Count > 0)
            throw new FabricException(FabricErrorCode.Refused, string.Join("; ", reasons));
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        // Before anything is reserved there: it may take long.
        var package = plan.Machine.Package;
        await packages.EnsureAsync(
            plan.Destination, plan.Machine.PackageDigest, FabricNames.IsPackageName(package) ? package : null, TimeSpan.MaxValue, ReportPull, cancellationToken);
        var bases = await source.FindBasesAsync(plan, cancellationToken);
        _offer = await destination.PrepareAsync(plan, bases, cancellationToken);
        if (_offer.BaseName is { } used) measured.Base = FabricNames.IsPackageDigest(used) ? MemoryBase.Package : MemoryBase.LastVisit;
    }

    private void ReportPull(PackageImport pull) =>
        progress.Report(latest => latest with { PulledBytes = pull.BytesDone, PackageBytes = pull.BytesTotal });

    private async Task CopyAsync(CancellationToken cancellationToken)
    {
        await source.StartCopyAsync(plan, _offer!, cancellationToken);
        await FollowAsync(version => source.GetTransferAsync(plan, version, cancellationToken), async () =>
        {
            // A destination that died is noticed by the source as a broken connection, but one that merely refuses is not.
            var load = await destination.WaitLoadedAsync(plan, waitMs: 0, cancellationToken);
            if (load.Error is not null) throw new FabricException(FabricErrorCode.Failed, load.Error);
        });
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        var offer = await source.OfferDiskAsync(plan, cancellationToken);
        await destination.StartFetchAsync(plan, offer, cancellationToken);
        await FollowAsync(version => destination.GetFetchAsync(plan, version, cancellationToken), static () => Task.CompletedTask);
    }

    private async Task FollowAsync(Func<long, Task<TransferStatus>> look, Func<Task> between)
    {
        for (var version = 0L; ;)
        {
            var status = await look(version);
            measured.Transfer = status.Transfer;
            if (status.Error is not null) throw new FabricException(FabricErrorCode.Failed, status.Error);
            if (status.Version != version)
            {
                version = status.Version;
                progress.Report(latest => latest with
                {
                    Phase = MigrationPhase.Copy,
                    Transfer = status.Transfer,
                    RemainingBytes = status.RemainingBytes,
                    BytesPerSecond = status.BytesPerSecond,
                    DirtyBytesPerSecond = status.DirtyBytesPerSecond,
                });
            }

            if (status.IsConverged) return;
            await between();
        }
    }

    private async Task SwitchAsync(bool isRehearsal, CancellationToken cancellationToken)
    {
        _switchAsked = time.GetTimestamp();
        var loading = destination.WaitLoadedAsync(plan, isRehearsal ? RehearsalWaitMs : LoadDeadlineMs, cancellationToken);
        if (!isRehearsal) _switching = source.SwitchAsync(plan, cancellationToken);
        if (await Task.WhenAny(loading, _switching ?? (Task)loading) != loading && _switching is not null)
            measured.Switch = await _switching;
        var load = await loading;
        if (isRehearsal) return;
        _loadReported = time.GetTimestamp();
        measured.Load = load;
        if (load.Error is not null) throw new FabricException(FabricErrorCode.Failed, load.Error);
        if (!load.IsLoaded)
            throw new FabricException(FabricErrorCode.Timeout, $"'{plan.Destination}' had not loaded the device state after {LoadDeadlineMs / 1000} s");
        if (!plan.Options.Verify) return;

        measured.Switch = await _switching!;
        measured.Verified = measured.Switch.Digest is not null && measured.Switch.Digest == load.Digest;
        if (measured.Verified == false)
        {
            throw new FabricException(
                FabricErrorCode.Failed,
                $"the guest's RAM differs between source ({measured.Switch.Digest}) and destination ({load.Digest})");
        }
    }

    /// <summary>What was loaded may have died since, and only before the commit the source can still go on in its place.</summary>
    private async Task<(ActResult, MigrationFailure?)> ConfirmAndCommitAsync(bool isRehearsal, CancellationToken cancellationToken)
    {
        var (result, failure) = await TryAsync(MigrationAct.Commit, ConfirmAsync, cancellationToken);
        return result == ActResult.Done ? await CommitAsync(isRehearsal, cancellationToken) : (result, failure);
    }

    private async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        if (_loadReported is { } reported && time.GetElapsedTime(reported) <= ReportAge && time.GetElapsedTime(_switchAsked) <= ConfirmationAge) return;
        for (var attempt = 0; attempt < MostConfirmations; attempt++)
        {
            var asked = time.GetTimestamp();
            await destination.ConfirmLoadedAsync(plan, cancellationToken);
            if (time.GetElapsedTime(asked) <= ConfirmationAge) return;
        }

        throw new FabricException(
            FabricErrorCode.Timeout, $"'{plan.Destination}' takes longer than {ConfirmationAge.TotalMilliseconds} ms to say whether it still has '{plan.Vm}'");
    }

    private async Task<(ActResult, MigrationFailure?)> CommitAsync(bool isRehearsal, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var outcome = await (isRehearsal ? vms.RehearseCommitAsync(plan, cancellationToken) : vms.CommitAsync(plan, cancellationToken));
        measured.CommitMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return outcome switch
        {
            CommitOutcome.Committed => (ActResult.Done, null),
            CommitOutcome.Refused => (ActResult.Failed, NoLongerOwned()),
            _ => (ActResult.Unknown, Fail(MigrationPhase.Commit, FabricErrorCode.Unavailable, "Postgres did not answer the commit")),
        };
    }

    private async Task<(ActResult, MigrationFailure?)> RunAsync(bool isRehearsal, CancellationToken cancellationToken)
    {
        try
        {
            var report = await destination.RunAsync(plan, isRehearsal, cancellationToken);
            if (!isRehearsal) measured.Run = report;
            return (ActResult.Done, null);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogActFailed(plan.Operation, MigrationAct.Run, error);
            var failure = ToFailure(MigrationPhase.Run, error);
            return (failure.Code is FabricErrorCode.Unavailable or FabricErrorCode.Timeout ? ActResult.Unknown : ActResult.Failed, failure);
        }
    }

    private async Task CleanAsync(CancellationToken cancellationToken)
    {
        measured.FramesCarried = await source.ReleaseAsync(plan, cancellationToken);
        if (_switching is null) return;
        measured.Switch = await _switching;
        measured.Transfer = measured.Switch.Transfer;
    }

    private async Task<(ActResult, MigrationFailure?)> WithdrawAsync(CancellationToken cancellationToken)
    {
        var outcome = await vms.WithdrawAsync(plan, cancellationToken);
        _isTakenOver = outcome == WithdrawOutcome.TakenOver;
        return outcome switch
        {
            WithdrawOutcome.Withdrawn => (ActResult.Done, null),
            WithdrawOutcome.AlreadyCommitted => (ActResult.AlreadyCommitted, null),
            WithdrawOutcome.TakenOver => await FindOwnerAsync(cancellationToken),
            _ => (ActResult.Unknown, null),
        };
    }

    private async Task<(ActResult, MigrationFailure?)> FindOwnerAsync(CancellationToken cancellationToken)
    {
        try
        {
            measured.TakenOver = (await vms.FindAsync(plan.Vm, cancellationToken))?.Info;
            return (ActResult.Done, NoLongerOwned());
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return (ActResult.Unknown, null);
        }
    }

    private async Task RollBackAsync(CancellationToken cancellationToken)
    {
        // Side by side: a destination that is gone must not keep the source waiting.
        var discarding = destination.DiscardAsync(plan, cancellationToken);
        try
        {
            // A guest that is somebody else's now must not go on; the source's reconciler removes it.
            if (!_isTakenOver || plan.IsStopped) await source.RollBackAsync(plan, cancellationToken);
        }
        finally
        {
            await discarding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (discarding.Exception is { } error) LogActFailed(plan.Operation, MigrationAct.RollBack, error.InnerException!);
        }
    }

    private async Task<(ActResult, MigrationFailure?)> TryAsync(
        MigrationAct act, Func<CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        try
        {
            await action(cancellationToken);
            return (ActResult.Done, null);
        }
        catch (Exception error)
        {
            LogActFailed(plan.Operation, act, error);
            return (ActResult.Failed, ToFailure((MigrationPhase)Math.Min((int)act, (int)MigrationPhase.RollBack), error));
        }
    }

    public static MigrationFailure ToFailure(MigrationPhase phase, Exception error) => error switch
    {
        FabricException known => new MigrationFailure(phase, known.Code, known.Message),
        OperationCanceledException => new MigrationFailure(phase, FabricErrorCode.Cancelled, "it was cancelled"),
        TimeoutException => new MigrationFailure(phase, FabricErrorCode.Timeout, error.Message),
        Orleans.Runtime.OrleansException => new MigrationFailure(phase, FabricErrorCode.Unavailable, $"a host could not be reached: {error.Message}"),
        _ => new MigrationFailure(phase, FabricErrorCode.Internal, error.Message),
    };

    private MigrationFailure NoLongerOwned() =>
        Fail(MigrationPhase.Commit, FabricErrorCode.StaleEpoch, $"'{plan.Vm}' is no longer owned by '{plan.Source}' with epoch {plan.Epoch}");

    private static MigrationFailure Fail(MigrationPhase phase, FabricErrorCode code, string reason) => new(phase, code, reason);

    [LoggerMessage(1101, LogLevel.Warning, "Migration {Operation}: {Act} failed")]
    private partial void LogActFailed(string operation, MigrationAct act, Exception error);
}
