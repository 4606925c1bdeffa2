namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>Only what the grains ask: who owns what, and what becomes of a dead host's VMs.</summary>
internal sealed class FakeOwnershipStore(FakeWorld world) : IOwnershipStore
{
    public async Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return world.Database.Do(tables => tables.Vms.GetValueOrDefault(vm)?.Info is { } info
            ? new VmOwner(
                info.Name, info.State == VmState.Lost ? null : info.Host, info.Epoch, info.State, info.OwnedSince, info.Operation, info.Availability,
                LeaseUntil: null, LeaseRemainingMs: null, info.Restart, Restarts: 0)
            : null);
    }

    public async Task<IReadOnlyList<VmRecord>?> DeclareDeadAsync(string host, DateTimeOffset lastSeen, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return world.Database.Do<IReadOnlyList<VmRecord>?>(tables =>
        {
            if (tables.Hosts[host].LastSeen != lastSeen) return null;
            tables.Hosts[host] = tables.Hosts[host] with { State = HostState.Dead };
            foreach (var name in tables.Vms.Values.Where(row => row.Info.Host == host).Select(row => row.Info.Name).ToList())
            {
                tables.Change(name, info => info.State == VmState.Lost
                    ? info
                    : info with { State = VmState.Lost, Epoch = info.Epoch + (info.Operation is null ? 1 : 2), Operation = null });
            }

            return tables.Vms.Values.Where(row => row.Info.Host == host && row.Info.State == VmState.Lost).OrderBy(row => row.Info.Name, StringComparer.Ordinal).ToList();
        });
    }

    public Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken) => throw Unexpected();

    public Task<IReadOnlyList<FailedVm>> ListFailedAsync(string host, CancellationToken cancellationToken) => throw Unexpected();

    public Task<VmRecord?> RestartAsync(FailedVm seen, int restarts, long diskEpoch, CancellationToken cancellationToken) => throw Unexpected();

    public Task<IReadOnlyList<(string Vm, long Epoch)>> RenewLeasesAsync(
        string host, IReadOnlyList<(string Vm, long Epoch)> running, TimeSpan duration, CancellationToken cancellationToken) => throw Unexpected();

    public Task<IReadOnlyList<LeaseSighting>> ListForeignLeasesAsync(string host, CancellationToken cancellationToken) => throw Unexpected();

    public Task<VmRecord?> ClaimAsync(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, CancellationToken cancellationToken) => throw Unexpected();

    public async Task<bool> StopLostAsync(string vm, long epoch, CancellationToken cancellationToken)
    {
        await Task.Yield();
        world.Write(vm, "db:StopLost");
        return world.Database.Do(tables => tables.Vms[vm].Info is { State: VmState.Lost } info && info.Epoch == epoch);
    }

    public Task<bool> IsDeadAsync(string host, CancellationToken cancellationToken) => throw Unexpected();

    public Task<IReadOnlyList<VmRecord>> ReturnAsync(string host, CancellationToken cancellationToken) => throw Unexpected();

    private static InvalidOperationException Unexpected() => new("No grain asks this.");
}
