using System.Collections.Concurrent;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Silo.Runtime;

/// <content>The host's part in moving a VM that does not run: its disk is all there is of it.</content>
internal sealed partial class HostRuntime
{
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, DiskFetch> _fetches = new();

    public Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        Task.FromResult(diskExports.Offer(plan.Operation, paths.Disk(plan.Vm, plan.Epoch)));

    public async Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken)
    {
        var vm = await vms.FindAsync(plan.Vm, cancellationToken);

        // As for what is prepared for a VM that runs.
        if (vm is null || vm.Info.Epoch != plan.Epoch || vm.Info.Operation != plan.Operation)
            throw FabricException.StaleEpoch($"Migration '{plan.Operation}' of '{plan.Vm}' is over: nothing is fetched for it to '{HostName}'.");
        var package = await RequirePackageAsync(plan.Machine.PackageDigest, cancellationToken);
        var disk = paths.Disk(plan.Vm, plan.NextEpoch);
        _fetches.GetOrAdd(plan.Operation, _ => new DiskFetch(offer, disk, CompleteAsync, time));

        async Task CompleteAsync(string fetched, CancellationToken token)
        {
            // The package's disk beneath it has another path here.
            await new QemuImg().SetBackingAsync(fetched, package.PathOf(PackageEntryNames.Disk), token);
            FileOwner.Give(fetched, facts.QemuUserId);
        }
    }

    public async Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken)
    {
        if (!_fetches.TryGetValue(plan.Operation, out var fetch))
            throw FabricException.NotFound($"'{HostName}' is not fetching the disk of '{plan.Vm}' for migration '{plan.Operation}'.");
        var status = await fetch.GetStatusAsync(cancellationToken);
        if (status.IsConverged) await EndFetchAsync(plan);
        return status;
    }

    private async Task EndFetchAsync(MigrationPlan plan)
    {
        if (_fetches.TryRemove(plan.Operation, out var fetch)) await fetch.DisposeAsync();
    }

    private async Task<IReadOnlyList<string>> CheckStoppedSourceAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        // It has just stopped, and what it left is still being cleared up.
        if (peers.Find(plan.Vm, plan.Epoch) is { Folder.HasEnded: true } ending)
            await ending.Ended.WaitAsync(EndDeadline, time, cancellationToken);
        if (peers.Find(plan.Vm, plan.Epoch) is not null || IsStarting(plan.Vm, plan.Epoch)) return [$"'{plan.Vm}' runs on '{HostName}'"];
        return File.Exists(paths.Disk(plan.Vm, plan.Epoch)) ? [] : [$"the disk of '{plan.Vm}' is not on '{HostName}' any more"];
    }
}
