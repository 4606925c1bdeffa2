using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>A reference to a host's grain, held by a silo.</summary>
internal sealed class SimHostControl(World world, SimSilo caller, SimMachine target) : IHostControl
{
    public Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.CheckSource, silo => silo.CheckSourceAsync(plan), cancellationToken);

    public Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<string>>(Point.CheckDestination, static _ => Task.FromResult<IReadOnlyList<string>>([]), cancellationToken);

    public Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.FindBases, silo => silo.FindBasesAsync(plan), cancellationToken);

    public Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken) =>
        AskAsync(Point.Prepare, silo => silo.PrepareAsync(plan), cancellationToken);

    public Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken) =>
        AskAsync(Point.StartCopy, silo => silo.StartCopyAsync(plan, offer), cancellationToken);

    public Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        AskAsync(Point.Transfer, silo => silo.GetTransferAsync(plan, afterVersion), cancellationToken);

    public Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.Suspend, silo => silo.SuspendAsync(plan), cancellationToken);

    public async Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var report = await AskAsync(Point.Switch, silo => silo.SwitchAsync(plan), cancellationToken);
        if (world.Bug == SeededBug.ReleaseBeforeCommit) _ = ReleaseAsync(plan, CancellationToken.None);
        return report;
    }

    public async Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken)
    {
        var looked = 0L;
        var report = await AskAsync(Point.WaitLoaded, LookAsync, cancellationToken);
        if (report.IsLoaded) caller.Confirmations[plan.Operation] = looked;
        return report;

        async Task<LoadReport> LookAsync(SimSilo silo)
        {
            var loaded = await silo.WaitLoadedAsync(plan, waitMs);
            looked = world.Scheduler.Now;
            return loaded;
        }
    }

    public Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (world.Bug == SeededBug.CommitWithoutConfirmation) return Task.CompletedTask;
        caller.Confirmations[plan.Operation] = world.Scheduler.Now;
        return AskAsync(Point.ConfirmLoaded, silo => silo.ConfirmLoadedAsync(plan), cancellationToken);
    }

    public Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken) =>
        AskAsync(isRehearsal ? Point.RehearseRun : Point.Run, silo => silo.RunAsync(plan, isRehearsal), cancellationToken);

    public Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.Release, silo => silo.ReleaseAsync(plan), cancellationToken);

    public Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.RollBack, silo => silo.RollBackAsync(plan), cancellationToken);

    public Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.Discard, silo => silo.DiscardAsync(plan), cancellationToken);

    public Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken) =>
        AskAsync(Point.Other, silo => Task.FromResult(silo.FindPackage(nameOrDigest)), cancellationToken);

    public Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task StartAsync(VmInstance instance, CancellationToken cancellationToken) =>
        AskAsync(Point.StartVm, silo => silo.StartAsync(instance.Epoch), cancellationToken);

    public Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken) =>
        AskAsync(Point.StopVm, silo => silo.StopAsync(epoch, force), cancellationToken);

    public Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        AskAsync(Point.OfferDisk, silo => Task.FromResult(silo.OfferDisk(plan)), cancellationToken);

    public Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken) =>
        AskAsync(Point.StartFetch, silo => silo.StartFetchAsync(plan), cancellationToken);

    public Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        AskAsync(Point.GetFetch, silo => silo.GetFetchAsync(plan), cancellationToken);

    private Task<T> AskAsync<T>(Point point, Func<SimSilo, Task<T>> body, CancellationToken cancellationToken) =>
        world.AskSiloAsync(point, caller.Process, caller.Machine.Index, target, body, cancellationToken);
}
