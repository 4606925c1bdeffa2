using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The hosts as one silo reaches them.</summary>
internal sealed class SimHostStore(World world, SimSilo silo) : IHostStore
{
    public Task ReportAsync(HostInfo host, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<HostInfo>> ListAsync(CancellationToken cancellationToken) =>
        world.Postgres.AskAsync(Point.ListHosts, silo.Process, silo.Machine.Index, () => world.Tables.Hosts, cancellationToken);
}
