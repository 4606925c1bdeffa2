using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>Changes of ownership as one silo asks for them, where the real code does.</summary>
internal sealed class SimOwnershipStore(World world, SimSilo silo) : IOwnershipStore
{
    private Tables Tables => world.Tables;

    public async Task<IReadOnlyList<VmRecord>?> DeclareDeadAsync(string host, DateTimeOffset lastSeen, CancellationToken cancellationToken)
    {
        var isDead = await AskAsync(Point.DeclareDead, () =>
        {
            var before = Tables.Vm.Epoch;
            var fenced = Tables.DeclareDead(host, lastSeen, compares: world.Bug != SeededBug.DeclaredDeadLate);
            if (fenced is [{ Info: var vm }])
            {
                if (world.Observer.Stopped.Contains((vm.Host, before))) world.Observer.Stopped.Add((vm.Host, vm.Epoch));
                world.Observer.BeginsAnew();
                world.Observer.Killed.Add((vm.Host, vm.Epoch));
            }

            return fenced is not null;
        });
        return isDead ? await AskAsync(Point.Other, () => Tables.ListLost(host)) : null;
    }

    public Task<bool> StopLostAsync(string vm, long epoch, CancellationToken cancellationToken) => AskAsync(Point.Other, () =>
    {
        var isStopped = Tables.StopLost(epoch);
        if (isStopped) world.Observer.Stopped.Add((Tables.Vm.Host, epoch));
        return isStopped;
    });

    public Task<bool> IsDeadAsync(string host, CancellationToken cancellationToken) => AskAsync(Point.Other, () => Tables.IsDead(host));

    public Task<IReadOnlyList<VmRecord>> ReturnAsync(string host, CancellationToken cancellationToken) => AskAsync(Point.Return, () => Tables.Return(host));

    public Task<VmOwner?> FindOwnerAsync(string vm, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<OwnershipEntry>> ReadHistoryAsync(string vm, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<FailedVm>> ListFailedAsync(string host, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<VmRecord?> RestartAsync(FailedVm seen, int restarts, long diskEpoch, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<(string Vm, long Epoch)>> RenewLeasesAsync(
        string host, IReadOnlyList<(string Vm, long Epoch)> running, TimeSpan duration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<LeaseSighting>> ListForeignLeasesAsync(string host, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<VmRecord?> ClaimAsync(LeaseSighting seen, string host, TimeSpan margin, TimeSpan duration, CancellationToken cancellationToken) => throw new NotSupportedException();

    private Task<T> AskAsync<T>(Point point, Func<T> statement) =>
        world.Postgres.AskAsync(point, silo.Process, silo.Machine.Index, statement, CancellationToken.None);
}
