namespace Architekt.Fabric.Grains;

/// <summary>
/// The host beneath a silo: its peers, packages and network. Grains know hosts only through this. Every act that touches a VM
/// carries its epoch; an old one is refused with <see cref="FabricErrorCode.StaleEpoch"/>.
/// </summary>
public interface IHostRuntime
{
    /// <summary>The host's name.</summary>
    string HostName { get; }

    /// <summary>What the host says of itself.</summary>
    HostInfo Describe();

    /// <summary>The packages in its store.</summary>
    Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken);

    /// <summary>A package by name or digest, or null.</summary>
    Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken);

    /// <summary>Imports a package from a folder on this host.</summary>
    Task<PackageInfo> ImportPackageAsync(
        string path, string name, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken);

    /// <summary>Resolves what to start into a machine this host can build. Throws with the reason if it cannot.</summary>
    Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken);

    /// <summary>Starts a VM's peer and QEMU and lets the guest run. Throws, with nothing left behind but the disk of a VM that was stopped, if it cannot.</summary>
    Task StartAsync(VmInstance instance, CancellationToken cancellationToken);

    /// <summary>Asks the guest to shut down, or ends it.</summary>
    Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken);

    /// <summary>Removes whatever a VM up to this epoch has left on the host, its disk included.</summary>
    Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken);

    /// <summary>What a VM holds of this host now.</summary>
    Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a package of a running VM. If it throws, nothing is left, and the guest runs on, unless it was to be stopped and the package could not be completed after that.
    /// </summary>
    Task<CheckpointReport> CheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken);

    /// <summary>Reads a VM's console log.</summary>
    Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken);

    /// <summary>Types on a VM's console.</summary>
    Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken);

    /// <summary>Why this host cannot be the source; empty if it can.</summary>
    Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Why this host cannot be the destination; empty if it can.</summary>
    Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Source: names of the RAM the guest's differences are known from; a destination that has one of them is sent only those.</summary>
    Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Destination: starts QEMU paused and incoming and opens the exports.</summary>
    /// <param name="plan">The migration.</param>
    /// <param name="bases">What <see cref="FindBasesAsync"/> said at the source.</param>
    /// <param name="cancellationToken">Ends it; nothing is left.</param>
    Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken);

    /// <summary>Source: starts copying; returns at once.</summary>
    Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken);

    /// <summary>Source: how far copying is; waits up to a second for something newer than <paramref name="afterVersion"/>.</summary>
    Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken);

    /// <summary>Source of a stopped VM: offers its disk for reading.</summary>
    Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Destination of a stopped VM: starts reading its disk; returns at once.</summary>
    Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken);

    /// <summary>Destination of a stopped VM: how far reading is; waits up to a second for something newer than <paramref name="afterVersion"/>.</summary>
    Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken);

    /// <summary>Source: asks the guest agent to get ready. Throws <see cref="FabricErrorCode.Refused"/> on a veto.</summary>
    Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Source: stops the guest and sends what is left. If it throws, the guest runs on unless the state had been handed over.</summary>
    Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Destination: waits up to <paramref name="waitMs"/> until the state is loaded.</summary>
    Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken);

    /// <summary>
    /// Destination, right before the commit: throws <see cref="FabricErrorCode.Failed"/> if what was prepared here has ended or is gone. Part of the pause, so it looks and asks nobody.
    /// </summary>
    Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Destination: grants the epoch that was reserved and lets the guest run. Repeating it is harmless. A rehearsal goes the same way, grants nothing and does nothing.</summary>
    Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken);

    /// <summary>Source, after the commit: forwards frames caught in the pause, ends QEMU and peer, removes what is left. Returns the number of frames.</summary>
    Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Source, after the reservation was given back: undoes whatever was begun; the guest runs.</summary>
    Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken);

    /// <summary>Destination, after the reservation was given back: removes what was prepared.</summary>
    Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken);
}
