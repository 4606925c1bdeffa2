using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Peers;

namespace Architekt.Fabric.Silo.Runtime;

/// <content>Making packages of running VMs.</content>
internal sealed partial class HostRuntime
{
    public async Task<CheckpointReport> CheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        var peer = peers.Require(plan.Vm, plan.Epoch);
        var origin = await RequirePackageAsync(plan.Machine.PackageDigest, cancellationToken);
        try
        {
            using var draft = await packages.BeginAsync(plan.Package, cancellationToken);
            await draft.CopyAsync(origin, PackageEntryNames.Kernel, cancellationToken);
            if (EntryOf(origin, PackageEntryNames.Initramfs) is not null)
                await draft.CopyAsync(origin, PackageEntryNames.Initramfs, cancellationToken);

            // The peer names its files as a package does, so the draft's folder is filled afterwards. It is not left alone with a folder that is about to go; and
            // a guest that has ended for its package is not to have ended for nothing.
            cancellationToken.ThrowIfCancellationRequested();
            var made = await peer.Client.CheckpointAsync(
                new PeerCheckpoint(plan.Epoch, plan.Operation, draft.Folder, plan.KeepRunning), CancellationToken.None);
            if (!plan.KeepRunning) cancellationToken = CancellationToken.None;
            var package = await draft.CompleteAsync(ManifestOf(plan, origin), progress: null, cancellationToken);
            if (plan.KeepRunning) await NameCheckpointAsync(peer, plan, package.Digest);
            else await peer.Ended.WaitAsync(cancellationToken);
            return new CheckpointReport(ToInfo(package, plan.Package), made.PauseMs);
        }
        catch (PackageException error)
        {
            throw ToFabric(error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(
                FabricErrorCode.Failed, $"Package '{plan.Package}' could not be made of '{plan.Vm}' on '{HostName}': {error.Message}", innerException: error);
        }
    }

    private static async Task NameCheckpointAsync(SupervisedPeer peer, CheckpointPlan plan, string digest)
    {
        try
        {
            await peer.Client.NameCheckpointAsync(new PeerBaseName(plan.Epoch, plan.Operation, digest), CancellationToken.None);
        }
        catch (FabricException)
        {
            // The guest has ended meanwhile, or cannot be tracked, or its peer is older than this call. The package is whole without it.
        }
    }

    private PackageManifest ManifestOf(CheckpointPlan plan, StoredPackage origin)
    {
        var machine = plan.Machine;
        return origin.Manifest with
        {
            Name = plan.Package,
            Kind = PackageKind.Package,
            QemuVersion = machine.QemuVersion,
            Machine = new PackageMachine { Accelerator = machine.Accelerator, CpuModel = machine.CpuModel, Mac = machine.Mac },
            CpuFeatures = machine.CpuFeatures ?? [],
            Vcpus = machine.Vcpus,
            MemoryBytes = machine.MemoryBytes,
            KernelCommandLine = machine.KernelCommandLine,
            CreatedAt = time.GetUtcNow(),
        };
    }
}
