using Orleans.Concurrency;
using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>A host's grain: it holds nothing and hands every call to the host beneath its silo.</summary>
[GrainType(PinnedGrainTypes.Host)]
[HostPinned, KeepAlive, Immovable, Reentrant]
internal sealed class HostGrain(IHostRuntime runtime, IPackageRuntime packages, HostLocator locator) : PinnedGrain(locator), IHostGrain, IHostControl
{
    public Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken) =>
        runtime.ListPackagesAsync(cancellationToken);

    public Task<PackageCleaning> CollectPackagesAsync(CancellationToken cancellationToken) => packages.CollectAsync(cancellationToken);

    public Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken) =>
        runtime.FindPackageAsync(nameOrDigest, cancellationToken);

    public Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken) =>
        runtime.DescribeMachineAsync(spec, cancellationToken);

    public Task StartAsync(VmInstance instance, CancellationToken cancellationToken) => runtime.StartAsync(instance, cancellationToken);

    public Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken) =>
        runtime.StopAsync(vm, epoch, force, cancellationToken);

    public Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken) =>
        runtime.RemoveAsync(vm, epoch, cancellationToken);

    public Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken) =>
        runtime.GetUsageAsync(vm, epoch, cancellationToken);

    public Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken) =>
        runtime.ReadLogAsync(vm, epoch, offset, waitMs, cancellationToken);

    public Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken) =>
        runtime.WriteConsoleAsync(vm, epoch, data, cancellationToken);

    public Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.CheckSourceAsync(plan, cancellationToken);

    public Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.CheckDestinationAsync(plan, cancellationToken);

    public Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.FindBasesAsync(plan, cancellationToken);

    public Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken) =>
        runtime.PrepareAsync(plan, bases, cancellationToken);

    public Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken) =>
        runtime.StartCopyAsync(plan, offer, cancellationToken);

    public Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        runtime.GetTransferAsync(plan, afterVersion, cancellationToken);

    public Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.OfferDiskAsync(plan, cancellationToken);

    public Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken) =>
        runtime.StartFetchAsync(plan, offer, cancellationToken);

    public Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        runtime.GetFetchAsync(plan, afterVersion, cancellationToken);

    public Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken) => runtime.SuspendAsync(plan, cancellationToken);

    public Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.SwitchAsync(plan, cancellationToken);

    public Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken) =>
        runtime.WaitLoadedAsync(plan, waitMs, cancellationToken);

    public Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken) => runtime.ConfirmLoadedAsync(plan, cancellationToken);

    public Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken) =>
        runtime.RunAsync(plan, isRehearsal, cancellationToken);

    public Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        runtime.ReleaseAsync(plan, cancellationToken);

    public Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken) => runtime.RollBackAsync(plan, cancellationToken);

    public Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken) => runtime.DiscardAsync(plan, cancellationToken);
}
