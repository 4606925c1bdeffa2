using Orleans.Concurrency;

namespace Architekt.Fabric.Grains;

/// <summary>Answers questions about the whole fabric from Postgres; any number of activations on any silo.</summary>
[GrainType("catalog")]
[StatelessWorker, Reentrant]
internal sealed class CatalogGrain(
    IVmStore vms, IOwnershipStore ownership, IHostStore hosts, IOperationStore operations, IDrainStore drains, IEventLog events, HostFencing fencing, HostLocator locator)
    : Grain, ICatalogGrain
{
    public async Task<IReadOnlyList<HostInfo>> ListHostsAsync(CancellationToken cancellationToken)
    {
        var known = await hosts.ListAsync(cancellationToken);
        return [.. known.Select(host => host.State == HostState.Dead
            ? host
            : host with { State = locator.IsAlive(host.Name) ? HostState.Ready : HostState.Unreachable })];
    }

    public async Task<IReadOnlyList<VmInfo>> ListVmsAsync(CancellationToken cancellationToken)
    {
        var rows = await vms.ListAsync(host: null, cancellationToken);
        return [.. rows.Select(row => Seen(row.Info))];
    }

    public async Task<VmInfo?> FindVmAsync(string name, CancellationToken cancellationToken) =>
        await vms.FindAsync(name, cancellationToken) is { } row ? Seen(row.Info) : null;

    public async Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken) =>
        await ownership.FindOwnerAsync(vm, cancellationToken) is { } owner
            ? owner with { State = IsSilent(owner.Host, owner.State) ? VmState.Unknown : owner.State }
            : null;

    public Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken) =>
        ownership.ReadHistoryAsync(vm, Math.Clamp(limit, 1, 1000), cancellationToken);

    public Task<HostDeath> DeclareHostDeadAsync(string host, CancellationToken cancellationToken) => fencing.DeclareDeadAsync(host, cancellationToken);

    public Task<IReadOnlyList<OperationInfo>> ListOperationsAsync(string? vm, int limit, bool onlyRunning, CancellationToken cancellationToken) =>
        onlyRunning
            ? operations.ListRunningAsync(vm, Math.Clamp(limit, 1, 1000), cancellationToken)
            : operations.ListAsync(vm, Math.Clamp(limit, 1, 1000), cancellationToken);

    public Task<OperationInfo?> FindOperationAsync(string id, CancellationToken cancellationToken) => operations.FindAsync(id, cancellationToken);

    public Task<MigrationResult?> FindMigrationResultAsync(string id, CancellationToken cancellationToken) =>
        operations.FindResultAsync(id, cancellationToken);

    public Task<CheckpointResult?> FindCheckpointResultAsync(string id, CancellationToken cancellationToken) =>
        operations.FindCheckpointResultAsync(id, cancellationToken);

    public Task<DrainResult?> FindDrainResultAsync(string id, CancellationToken cancellationToken) => drains.FindResultAsync(id, cancellationToken);

    public async Task<HostInfo> CordonAsync(string host, bool isCordoned, CancellationToken cancellationToken)
    {
        FabricNames.Require(host, "host");
        await drains.SetCordonedAsync(host, isCordoned, cancellationToken);
        var known = await ListHostsAsync(cancellationToken);
        return known.FirstOrDefault(candidate => candidate.Name == host)
            ?? throw FabricException.NotFound($"There is no host '{host}'; known are: {string.Join(", ", known.Select(candidate => candidate.Name))}.");
    }

    public Task<IReadOnlyList<FabricEvent>> ReadEventsAsync(long afterSequence, int limit, CancellationToken cancellationToken) =>
        events.ReadAsync(afterSequence, Math.Clamp(limit, 1, 1000), cancellationToken);

    /// <summary>A host that does not answer may run its VMs or not; nobody else may say.</summary>
    private VmInfo Seen(VmInfo vm) => IsSilent(vm.Host, vm.State) ? vm with { State = VmState.Unknown, Reason = $"host '{vm.Host}' does not answer" } : vm;

    private bool IsSilent(string? host, VmState state) =>
        host is not null && state is not (VmState.Stopped or VmState.Failed or VmState.Lost) && !locator.IsAlive(host);
}
