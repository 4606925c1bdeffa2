using System.Runtime.CompilerServices;
using System.Text;

namespace Architekt.Fabric.Client.Tests.Fakes;

internal sealed class FakeCatalogGrain(FakeWorld world) : Grain, ICatalogGrain
{
    public Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<HostInfo>>([.. world.Hosts]);

    public Task<IReadOnlyList<VmInfo>> ListVmsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<VmInfo>>([.. world.Vms.Values]);

    public Task<VmInfo?> FindVmAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Vms.GetValueOrDefault(name));

    public Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<OwnershipEntry>>([]);

    public Task<HostDeath> DeclareHostDeadAsync(string host, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IReadOnlyList<OperationInfo>> ListOperationsAsync(string? vm, int limit, bool onlyRunning, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<OperationInfo>>([.. world.Operations.Values.Where(operation => vm is null || operation.Vm == vm)
            .Where(operation => !onlyRunning || operation.Outcome == OperationOutcome.Running).Take(limit)]);

    public Task<OperationInfo?> FindOperationAsync(string id, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Operations.GetValueOrDefault(id));

    public Task<MigrationResult?> FindMigrationResultAsync(string id, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Results.GetValueOrDefault(id));

    public Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Checkpoints.GetValueOrDefault(id));

    public Task<DrainResult?> FindDrainResultAsync(string id, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Drains.GetValueOrDefault(id));

    public Task<HostInfo> CordonAsync(string host, bool isCordoned, CancellationToken cancellationToken = default) =>
        Task.FromResult(Samples.Host(host) with { IsCordoned = isCordoned });

    public Task<IReadOnlyList<FabricEvent>> ReadEventsAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Events(afterSequence, limit));
}

[Orleans.Concurrency.Reentrant]
internal sealed class FakeVmGrain(FakeWorld world) : Grain, IVmGrain
{
    public Task<VmInfo> RunAsync(VmSpec spec, CancellationToken cancellationToken = default)
    {
        if (world.VmFault?.Invoke() is { } fault) throw fault;
        world.Runs.Enqueue(spec);
        var vm = Samples.Vm(spec.Name, VmState.Booting, spec.Host ?? "host-a");
        world.Vms[spec.Name] = vm;
        return Task.FromResult(vm);
    }

    public Task<VmInfo> GetAsync(CancellationToken cancellationToken = default) => Task.FromResult(world.Vms[this.GetPrimaryKeyString()]);

    public async Task<VmInfo> StopAsync(bool force, CancellationToken cancellationToken = default)
    {
        if (world.VmFault?.Invoke() is { } fault) throw fault;
        // A grain that never answers, for the call's time limit.
        if (!force) await Task.Delay(Timeout.Infinite, cancellationToken);
        return world.Vms[this.GetPrimaryKeyString()] with { State = VmState.Stopped };
    }

    public Task DeleteAsync(bool force, CancellationToken cancellationToken = default) => world.VmFault?.Invoke() is { } fault ? throw fault : Task.CompletedTask;

    public Task<VmInfo> StartAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Vms[this.GetPrimaryKeyString()] with { State = VmState.Booting });

    public Task<OperationInfo> CheckpointAsync(CheckpointRequest request, CancellationToken cancellationToken = default)
    {
        world.CheckpointRequests.Enqueue(request);
        return Task.FromResult(world.Operations.GetOrAdd(
            request.Operation, Samples.Operation(request.Operation) with { Kind = OperationKinds.Checkpoint, Vm = this.GetPrimaryKeyString() }));
    }

    public Task<OperationInfo> MakePackageAsync(PackageMaking request, CancellationToken cancellationToken = default)
    {
        world.Makings.Enqueue(request);
        if (world.VmFault?.Invoke() is { } fault) throw fault;
        return Task.FromResult(world.Operations.GetOrAdd(
            request.Operation, Samples.Operation(request.Operation) with { Kind = OperationKinds.Checkpoint, Vm = this.GetPrimaryKeyString() }));
    }

    public Task<OperationInfo> MigrateAsync(MigrationRequest request, CancellationToken cancellationToken = default)
    {
        world.Requests.Enqueue(request);
        if (world.VmFault?.Invoke() is { } fault) throw fault;
        return Task.FromResult(world.Operations.GetOrAdd(request.Operation, Samples.Operation(request.Operation)));
    }

    public async Task<VmLog> ReadLogAsync(long offset, int waitMs, CancellationToken cancellationToken = default)
    {
        var log = Encoding.UTF8.GetBytes(world.Log);
        var start = offset < 0 ? Math.Max(0, log.Length + offset) : Math.Min(offset, log.Length);
        if (start == log.Length && waitMs > 0) await Task.Delay(Math.Min(waitMs, 50), cancellationToken);
        return new VmLog(log[(int)start..], log.Length, world.LogEpoch);
    }

    public Task WriteConsoleAsync(byte[] data, CancellationToken cancellationToken = default)
    {
        world.Typed.Enqueue(data);
        return Task.CompletedTask;
    }

    public Task<string> WhereAsync(CancellationToken cancellationToken = default) => Task.FromResult("host-a");
}

[Orleans.Concurrency.Reentrant]
internal sealed class FakeMigrationGrain(FakeWorld world) : Grain, IMigrationGrain
{
    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task<MigrationProgress> GetAsync(CancellationToken cancellationToken = default) => Task.FromResult(world.ReportsAfter(0)[^1]);

    public async IAsyncEnumerable<MigrationProgress> WatchAsync(
        long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        world.WatchedAfter.Enqueue(afterSequence);
        if (world.WatchFault?.Invoke() is { } fault) throw fault;
        var last = afterSequence;
        while (true)
        {
            foreach (var report in world.ReportsAfter(last))
            {
                last = report.Sequence;
                yield return report;
                if (report.Result is not null) yield break;
            }

            await Task.Delay(10, cancellationToken);
        }
    }

    public Task CancelAsync(CancellationToken cancellationToken = default) =>
        throw FabricException.Conflict("The destination is the owner already.");
}

[Orleans.Concurrency.Reentrant]
internal sealed class FakeDrainGrain(FakeWorld world) : Grain, IDrainGrain
{
    public Task<OperationInfo> BeginAsync(DrainRequest request, CancellationToken cancellationToken = default)
    {
        world.DrainRequests.Enqueue(request);
        if (world.DrainFault?.Invoke() is { } fault) throw fault;
        var id = this.GetPrimaryKeyString();
        return Task.FromResult(world.Operations.GetOrAdd(
            id, Samples.Operation(id) with { Kind = OperationKinds.Drain, Vm = null, Source = request.Host, Destination = null, Epoch = 0 }));
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task<DrainProgress> GetAsync(CancellationToken cancellationToken = default) => Task.FromResult(world.DrainReports.Last());

    public async IAsyncEnumerable<DrainProgress> WatchAsync(
        long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        world.WatchedAfter.Enqueue(afterSequence);
        if (world.WatchFault?.Invoke() is { } fault) throw fault;
        foreach (var report in world.DrainReports.Where(report => report.Sequence > afterSequence)) yield return report;
        await Task.CompletedTask;
    }

    public Task CancelAsync(CancellationToken cancellationToken = default) => throw FabricException.Conflict("The drain has ended already.");
}

internal sealed class FakeCheckpointGrain(FakeWorld world) : Grain, ICheckpointGrain
{
    public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task<CheckpointResult?> WaitAsync(int waitMs, CancellationToken cancellationToken = default)
    {
        world.CheckpointWaits.Enqueue(waitMs);
        return world.CheckpointFault?.Invoke() is { } fault
            ? throw fault
            : Task.FromResult(world.CheckpointAnswers.TryDequeue(out var answer) ? answer : null);
    }

    public Task CancelAsync(CancellationToken cancellationToken = default)
    {
        world.CancelledCheckpoints.Enqueue(this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }
}

internal sealed class FakePackageGrain(FakeWorld world) : Grain, IPackageGrain
{
    public Task<PackageImport> ImportAsync(string path, CancellationToken cancellationToken = default) => GetImportAsync(cancellationToken);

    public Task<PackageImport> GetImportAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Imports.TryDequeue(out var import) ? import : throw new InvalidOperationException("Asked once too often."));

    public Task<PackageInfo?> FindAsync(CancellationToken cancellationToken = default) => Task.FromResult<PackageInfo?>(world.Packages.GetValueOrDefault(this.GetPrimaryKeyString()));

    public Task<PackageImport> PullAsync(string? name, CancellationToken cancellationToken = default)
    {
        world.Pulls.Enqueue($"{this.GetPrimaryKeyString()} as {name}");
        return GetImportAsync(cancellationToken);
    }

    public Task<PackageImport> GetPullAsync(CancellationToken cancellationToken = default) => GetImportAsync(cancellationToken);

    public Task<PackageInfo> TagAsync(string name, bool move, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<string> UntagAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task DeleteAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<PackageOffer> OpenForPullAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(world.Offer ?? throw FabricException.NotFound("There is no such package."));

    public Task<PackageUploadOffer> OpenUploadAsync(byte[] manifest, CancellationToken cancellationToken = default) =>
        Task.FromResult(world.UploadOffers.TryDequeue(out var offer) ? offer : throw new InvalidOperationException("Asked once too often."));

    public Task<PackageImport> CommitUploadAsync(string token, CancellationToken cancellationToken = default)
    {
        world.Committed.Enqueue(token);
        return GetImportAsync(cancellationToken);
    }

    public Task DiscardUploadAsync(string token, CancellationToken cancellationToken = default)
    {
        world.Discarded.Enqueue(token);
        return Task.CompletedTask;
    }

    public Task KeepOpenAsync(string token, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task CloseAsync(string token, CancellationToken cancellationToken = default)
    {
        world.Closed.Enqueue(token);
        return Task.CompletedTask;
    }
}

internal sealed class FakeHostGrain : Grain, IHostGrain
{
    public Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<PackageInfo>>([]);

    public Task<PackageCleaning> CollectPackagesAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
