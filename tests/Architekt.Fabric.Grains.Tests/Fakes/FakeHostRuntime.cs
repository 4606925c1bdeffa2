namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>One host. It behaves unless a script says otherwise, and tells the world whose guest runs.</summary>
internal sealed class FakeHostRuntime(FakeWorld world, string name) : IHostRuntime
{
    public string HostName => name;

    public HostInfo Describe() => Samples.Host(name);

    public Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<PackageInfo>>([Samples.Package(name)]);

    public Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken) =>
        Task.FromResult(
            nameOrDigest is Samples.PackageName or Samples.WarmName ? Samples.Package(name) with { Name = nameOrDigest }
            : nameOrDigest == Samples.Digest ? Samples.Package(name)
            : world.Packages.Find(name, nameOrDigest));

    public async Task<PackageInfo> ImportPackageAsync(
        string path, string package, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken)
    {
        progress.Report((1, 2));
        await world.CallAsync(name, "Import", package, cancellationToken);
        return Samples.Package(name) with { Name = package };
    }

    public async Task<MachineDescription> DescribeMachineAsync(VmSpec spec, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "Describe", spec.Name, cancellationToken);
        return spec.Package == Samples.PackageName ? Samples.Machine
            : spec.Package == Samples.WarmName ? Samples.Machine with { Package = Samples.WarmName, HasMemory = true }
            : throw FabricException.NotFound($"Host '{name}' has no package '{spec.Package}'.");
    }

    public async Task StartAsync(VmInstance instance, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, $"Start {instance.Start.Kind}", instance.Vm, cancellationToken);
        world.Runs(instance.Vm, name, runs: true);
    }

    public async Task StopAsync(string vm, long epoch, bool force, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "Stop", vm, cancellationToken);
        world.Runs(vm, name, runs: false);
    }

    public async Task RemoveAsync(string vm, long epoch, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "Remove", vm, cancellationToken);
        world.Runs(vm, name, runs: false);
    }

    public async Task<VmUsage> GetUsageAsync(string vm, long epoch, CancellationToken cancellationToken) =>
        (VmUsage?)await world.CallAsync(name, "Usage", vm, cancellationToken) ?? Samples.Usage;

    public async Task<CheckpointReport> CheckpointAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        var scripted = (CheckpointReport?)await world.CallAsync(name, "Checkpoint", plan.Vm, cancellationToken);
        if (!plan.KeepRunning) world.Runs(plan.Vm, name, runs: false);
        return scripted ?? new CheckpointReport(Samples.Package(name) with { Name = plan.Package, Kind = "package" }, 12.5);
    }

    public async Task<DiskOffer> OfferDiskAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        await PlayAsync<DiskOffer>("OfferDisk", plan, cancellationToken) ?? new DiskOffer("192.0.2.1", 10809, "disk");

    public Task StartFetchAsync(MigrationPlan plan, DiskOffer offer, CancellationToken cancellationToken) =>
        world.CallAsync(name, "StartFetch", plan.Vm, cancellationToken);

    public async Task<TransferStatus> GetFetchAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        await PlayAsync<TransferStatus>("GetFetch", plan, cancellationToken)
            ?? new TransferStatus(afterVersion + 1, afterVersion >= 1, null, TransferCounters.None with { DiskBytes = 4096 }, 0, 1000, 0);

    public async Task<IReadOnlyList<string>> FindBasesAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        await PlayAsync<IReadOnlyList<string>>("FindBases", plan, cancellationToken) ?? [];

    public async Task<VmLog> ReadLogAsync(string vm, long epoch, long offset, int waitMs, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "ReadLog", vm, cancellationToken);
        return new VmLog("booted"u8.ToArray(), 6, epoch);
    }

    public Task WriteConsoleAsync(string vm, long epoch, byte[] data, CancellationToken cancellationToken) =>
        world.CallAsync(name, "WriteConsole", vm, cancellationToken);

    public async Task<IReadOnlyList<string>> CheckSourceAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        await PlayAsync<IReadOnlyList<string>>("CheckSource", plan, cancellationToken) ?? [];

    public async Task<IReadOnlyList<string>> CheckDestinationAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        await PlayAsync<IReadOnlyList<string>>("CheckDestination", plan, cancellationToken) ?? [];

    public async Task<IncomingOffer> PrepareAsync(MigrationPlan plan, IReadOnlyList<string> bases, CancellationToken cancellationToken) =>
        await PlayAsync<IncomingOffer>("Prepare", plan, cancellationToken)
            ?? new IncomingOffer("192.0.2.2", 10809, "memory", "state", 0, "", bases.Count > 0 ? bases[0] : null);

    public Task StartCopyAsync(MigrationPlan plan, IncomingOffer offer, CancellationToken cancellationToken) =>
        world.CallAsync(name, "StartCopy", plan.Vm, cancellationToken);

    public async Task<TransferStatus> GetTransferAsync(MigrationPlan plan, long afterVersion, CancellationToken cancellationToken) =>
        await PlayAsync<TransferStatus>("GetTransfer", plan, cancellationToken)
            ?? new TransferStatus(afterVersion + 1, afterVersion >= 1, null, Samples.Transfer with { Rounds = (int)afterVersion + 1 }, 4096, 1000, 100);

    public Task SuspendAsync(MigrationPlan plan, CancellationToken cancellationToken) => world.CallAsync(name, "Suspend", plan.Vm, cancellationToken);

    public async Task<SwitchReport> SwitchAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        var scripted = await PlayAsync<SwitchReport>("Switch", plan, cancellationToken);
        world.Runs(plan.Vm, name, runs: false);
        world.HandedOver(plan.Operation).TrySetResult();
        await world.CallAsync(name, "SwitchReport", plan.Vm, cancellationToken);
        return scripted ?? Samples.Switch(plan.Options.Verify ? "digest" : null);
    }

    public async Task<LoadReport> WaitLoadedAsync(MigrationPlan plan, int waitMs, CancellationToken cancellationToken)
    {
        if (waitMs <= MigrationActs.RehearsalWaitMs) return await PlayAsync<LoadReport>("LookLoaded", plan, cancellationToken) ?? new LoadReport(false, null, 0, null);
        await world.HandedOver(plan.Operation).Task.WaitAsync(cancellationToken);
        return await PlayAsync<LoadReport>("WaitLoaded", plan, cancellationToken) ?? new LoadReport(true, null, 2, plan.Options.Verify ? "digest" : null);
    }

    public Task ConfirmLoadedAsync(MigrationPlan plan, CancellationToken cancellationToken) =>
        plan.IsStopped || world.HandedOver(plan.Operation).Task.IsCompleted ? world.CallAsync(name, "ConfirmLoaded", plan.Vm, cancellationToken) : Task.CompletedTask;

    public async Task<RunReport> RunAsync(MigrationPlan plan, bool isRehearsal, CancellationToken cancellationToken)
    {
        if (isRehearsal) return new RunReport(0, 0);
        var scripted = await PlayAsync<RunReport>("Run", plan, cancellationToken);
        world.Runs(plan.Vm, name, runs: true);
        return scripted ?? new RunReport(3, 1);
    }

    public async Task<int> ReleaseAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "Release", plan.Vm, cancellationToken);
        world.Runs(plan.Vm, name, runs: false);
        return 7;
    }

    public async Task RollBackAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "RollBack", plan.Vm, cancellationToken);
        world.Runs(plan.Vm, name, runs: true);
    }

    public async Task DiscardAsync(MigrationPlan plan, CancellationToken cancellationToken)
    {
        await world.CallAsync(name, "Discard", plan.Vm, cancellationToken);
        world.Runs(plan.Vm, name, runs: false);
    }

    private async Task<T?> PlayAsync<T>(string method, MigrationPlan plan, CancellationToken cancellationToken)
        where T : class => (T?)await world.CallAsync(name, method, plan.Vm, cancellationToken);
}
