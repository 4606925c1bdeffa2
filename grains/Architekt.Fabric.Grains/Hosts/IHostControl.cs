namespace Architekt.Fabric.Grains;

/// <summary>What other silos may ask of a host: <see cref="IHostRuntime"/> behind the same pinned grain as <see cref="IHostGrain"/>.</summary>
[Alias("architekt.host-control")]
internal interface IHostControl : IGrainWithStringKey
{
    [Alias("find-package")]
    Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken);

    [Alias("describe-machine")]
    Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken);

    [Alias("start")]
    [ResponseTimeout("00:01:00")]
    Task StartAsync(VmInstance instance, CancellationToken cancellationToken);

    [Alias("stop")]
    Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken);

    [Alias("remove")]
    Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken);

    [Alias("usage"), ResponseTimeout("00:00:05")]
    Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken);

    [Alias("read-log")]
    Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken);

    [Alias("write-console")]
    Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken);

    [Alias("check-source")]
    Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("check-destination")]
    Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("find-bases")]
    Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("prepare")]
    Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken);

    [Alias("start-copy")]
    Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken);

    [Alias("transfer")]
    Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken);

    [Alias("offer-disk")]
    Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("start-fetch")]
    Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken);

    [Alias("fetch")]
    Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken);

    [Alias("suspend")]
    Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("switch")]
    Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("wait-loaded")]
    Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken);

    [Alias("confirm-loaded"), ResponseTimeout("00:00:05")]
    Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("run")]
    Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken);

    [Alias("release")]
    Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("roll-back")]
    Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken);

    [Alias("discard")]
    Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken);
}
