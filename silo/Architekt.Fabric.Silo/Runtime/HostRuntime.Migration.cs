using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Reconciliation;

namespace Architekt.Fabric.Silo.Runtime;

/// <content>The host's part in migrations: it translates and hands on; the peers do the work.</content>
internal sealed partial class HostRuntime
{
    public async Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsStopped) return await CheckStoppedSourceAsync(plan, cancellationToken);
        var reasons = new List<string>();
        if (facts.TrackingReason is { } reason) reasons.Add($"source '{HostName}' cannot migrate live: {reason}");
        if (peers.Find(plan.Vm, plan.Epoch) is null) reasons.Add($"'{plan.Vm}' does not run on '{HostName}' with epoch {plan.Epoch}");
        return reasons;
    }

    public Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var reasons = RefusalsOf(plan.Vm, plan.Machine, plan.IsStopped).ToList();

        // One that boots anew looks anew.
        if (!plan.IsStopped && MissingCpuFeatures(plan.Machine.CpuFeatures) is { } missing)
            reasons.Add($"'{plan.Vm}' has found {missing} where it runs, and host '{HostName}' does not have that: choose a host whose CPU has at least the same");
        return Task.FromResult<IReadOnlyList<string>>(reasons);
    }

    /// <summary>Why this host cannot have such a VM; empty if it can.</summary>
    public IReadOnlyList<string> RefusalsOf(string vm, MachineDescription machine, bool isStopped)
    {
        var reasons = new List<string>();
        if (!isStopped && facts.TrackingReason is { } reason) reasons.Add($"destination '{HostName}' could not migrate it on: {reason}");
        if (machine.Accelerator != facts.Accelerator)
            reasons.Add($"host '{HostName}' runs guests under {facts.Accelerator}, and '{vm}' runs under {machine.Accelerator}");
        if (QemuMachines.Refusal(machine.MachineType, machine.QemuVersion, facts.QemuVersion) is { } difference)
            reasons.Add($"'{vm}' has a machine of QEMU {machine.QemuVersion}, and host '{HostName}' has {difference}");
        if (machine.Mac is not null && Options.Bridge is null) reasons.Add($"host '{HostName}' has no bridge for '{vm}' to join");
        if (!isStopped && memory.Refusal(machine.MemoryBytes) is { } refusal) reasons.Add(refusal);
        return reasons;
    }

    public async Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        (await peers.Require(plan.Vm, plan.Epoch).Client.GetStatusAsync(cancellationToken)).Bases ?? [];

    public async Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken)
    {
        var vm = await vms.FindAsync(plan.Vm, cancellationToken);

        // A request may be older than its migration's end, and nobody would clear up after it any more.
        if (vm is null || vm.Info.Epoch != plan.Epoch || vm.Info.Operation != plan.Operation)
            throw FabricException.StaleEpoch($"Migration '{plan.Operation}' of '{plan.Vm}' is over: nothing is prepared for it on '{HostName}'.");
        var isLive = vm.Info.State != VmState.Booting;

        // Asked for again: the peer gives the same offer for the same operation.
        var present = peers.Find(plan.Vm, plan.NextEpoch);
        var visit = present is null ? kept.Take(plan.Vm, bases) : null;
        PackageLease? lease = null;
        try
        {
            (var known, lease) = await FindBaseAsync(plan, bases, visit, cancellationToken);
            var peer = present ?? await LaunchAsync(plan.Vm, plan.NextEpoch, plan.Machine, start: null, cancellationToken);
            var offer = await peer.Client.IncomingAsync(new PeerIncoming(plan.Operation, plan.Options.Verify, isLive, known), cancellationToken);
            return new IncomingOffer(
                offer.Address, offer.Port, offer.MemoryExport, offer.StateExport, offer.DiskPort, offer.DiskToken, offer.BaseName, offer.BasesExport);
        }
        catch
        {
            if (present is null) await RemoveAsync(plan.Vm, plan.NextEpoch, CancellationToken.None);
            else await RemoveIfUnclaimedAsync(plan, present);
            throw;
        }
        finally
        {
            // The peer has taken it by now, or nobody ever will.
            lease?.Dispose();
            if (visit is { } taken) File.Delete(taken.Path);
        }
    }

    public Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken) =>
        peers.Require(plan.Vm, plan.Epoch).Client.CopyAsync(
            new PeerCopy(
                plan.Operation,
                new PeerOffer(
                    offer.Address, offer.Port, offer.MemoryExport, offer.StateExport, offer.DiskPort, offer.DiskToken, offer.BaseName, offer.BasesExport),
                plan.Options.PauseBudgetMs,
                plan.Options.MaxRounds,
                plan.Options.TimeoutMs,
                plan.Options.Connections,
                plan.Options.BandwidthBytesPerSecond),
            cancellationToken);

    public async Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken)
    {
        var status = await peers.Require(plan.Vm, plan.Epoch).Client.GetTransferAsync(afterVersion, cancellationToken);
        return new TransferStatus(
            status.Version,
            status.IsConverged,
            status.Error,
            ToCounters(status.Counters),
            status.RemainingBytes,
            status.BytesPerSecond,
            status.DirtyBytesPerSecond);
    }

    public Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        peers.Require(plan.Vm, plan.Epoch).Client.SuspendAsync(new PeerStep(plan.Operation), cancellationToken);

    public async Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var step = new PeerStep(plan.Operation, plan.Options.Verify);
        var report = await peers.Require(plan.Vm, plan.Epoch).Client.SwitchAsync(step, cancellationToken);
        return new SwitchReport(
            report.SourceMs, report.LastRoundMs, report.DiskMs, report.StateMs, report.RoundTripMs, ToCounters(report.Counters), report.Digest);
    }

    public async Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken)
    {
        var step = new PeerStep(plan.Operation, plan.Options.Verify, waitMs);
        var loaded = await peers.Require(plan.Vm, plan.NextEpoch).Client.WaitLoadedAsync(step, cancellationToken);
        if (loaded.IsLoaded) await ConfirmLoadedAsync(plan, cancellationToken);
        return new LoadReport(loaded.IsLoaded, loaded.Error, loaded.LoadMs, loaded.Digest);
    }

    public Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var isHere = plan.IsStopped ? File.Exists(paths.Disk(plan.Vm, plan.NextEpoch)) : peers.Find(plan.Vm, plan.NextEpoch) is { } peer && peer.HasQemu();
        return isHere
            ? Task.CompletedTask
            : throw new FabricException(
                FabricErrorCode.Failed, $"what '{HostName}' had of '{plan.Vm}' was lost before it became the owner: {(plan.IsStopped ? "its disk is gone" : "its peer or QEMU has ended")}");
    }

    public async Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken)
    {
        var peer = peers.Require(plan.Vm, plan.NextEpoch);
        if (!isRehearsal && peer.Instance.HasLease) await leases.GrantAsync(peer, cancellationToken);
        var report = await peer.Client.RunAsync(plan.NextEpoch, isRehearsal, cancellationToken);
        if (!isRehearsal && !report.IsLive) peers.WatchLiveness(peer);
        return new RunReport(report.SinceStateMs, report.RunMs);
    }

    public async Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsStopped)
        {
            await diskExports.WithdrawAsync(plan.Operation);
            await RemoveAsync(plan.Vm, plan.Epoch, cancellationToken);
            return 0;
        }

        if (peers.Find(plan.Vm, plan.Epoch) is not { } peer) return 0;
        var bytes = plan.Machine.MemoryBytes;
        var keep = kept.Reserve(plan.Vm, plan.Epoch, bytes);
        var released = await peer.Client.ReleaseAsync(new PeerStep(plan.Operation, KeepMemory: keep), cancellationToken);
        await peer.Ended.WaitAsync(cancellationToken);
        if (keep is not null && released.KeptBase is { } name && File.Exists(keep)) kept.Add(plan.Vm, name, keep, bytes);
        return released.FramesCarried;
    }

    public async Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsStopped) await diskExports.WithdrawAsync(plan.Operation);
        else if (peers.Find(plan.Vm, plan.Epoch) is { } peer) await peer.Client.RollBackAsync(new PeerStep(plan.Operation), cancellationToken);
    }

    public async Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsStopped)
        {
            await EndFetchAsync(plan);
            await RemoveIfUnclaimedAsync(plan, instance: null);
            return;
        }

        if (peers.Find(plan.Vm, plan.NextEpoch) is not { } peer) return;
        try
        {
            await peer.Client.DiscardAsync(new PeerStep(plan.Operation), cancellationToken);
            await peer.Ended.WaitAsync(TimeSpan.FromSeconds(5), time, cancellationToken);
        }
        catch (Exception error) when (error is FabricException or TimeoutException)
        {
            // It may have committed after all, and be the owner's.
            await RemoveIfUnclaimedAsync(plan, peer);
        }
    }

    /// <summary>
    /// Removes an instance that was there before this call, or the disk of a VM that does not run, if it cannot get a claim: the row is read
    /// after the instance was seen, so a migration that could still make it the owner shows there.
    /// </summary>
    private async Task RemoveIfUnclaimedAsync(MigrationPlan plan, SupervisedPeer? instance)
    {
        var vm = (await vms.FindAsync(plan.Vm, CancellationToken.None))?.Info;

        // What this migration itself has reserved it does not own yet, and nobody else can.
        if (vm?.Operation == plan.Operation) vm = vm with { Operation = null };
        if (InstanceRules.Judge(vm, HostName, plan.NextEpoch, status: null) == InstanceVerdict.Remove && peers.Find(plan.Vm, plan.NextEpoch) == instance)
            await RemoveAsync(plan.Vm, plan.NextEpoch, CancellationToken.None);
    }

    /// <summary>
    /// What this host has of the RAM the source knows the differences from, and the use of its package until it has been copied. A last visit is nearer to it than any package, and a
    /// checkpoint is nearer than the package it once came from.
    /// </summary>
    private async Task<(PeerBase? Base, PackageLease? Lease)> FindBaseAsync(
        MigrationPlan plan, IReadOnlyList<string> bases, (string Name, string Path)? visit, CancellationToken cancellationToken)
    {
        if (visit is { } left) return (new PeerBase(left.Name, left.Path, Adopt: true), null);
        foreach (var digest in bases.Where(FabricNames.IsPackageDigest).Reverse())
        {
            if (await packages.TryUseAsync(digest, cancellationToken) is not { } lease) continue;
            if (lease.Package.Manifest.MemoryBytes == plan.Machine.MemoryBytes && EntryOf(lease.Package, PackageEntryNames.Memory) is { } memoryPath)
                return (new PeerBase(digest, memoryPath), lease);
            lease.Dispose();
        }

        return (null, null);
    }

    private static TransferCounters ToCounters(PeerCounters counters) => new(
        counters.Rounds,
        counters.MemoryBytes,
        counters.ZeroBytes,
        counters.SkippedBytes,
        counters.DiskBytes,
        counters.StateBytes,
        counters.LastRoundBytes,
        counters.BaseBytes);
}
