using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Postgres;

/// <summary>The server: up, down, slow, or out of reach.</summary>
internal sealed class SimPostgres(World world)
{
    private static readonly Route Statements = new(
        Latency: 150,
        Timeout: 5_000_000,
        Notice: 1_000,
        static point => FabricException.Unavailable($"Postgres cannot be reached ({point})."),
        static point => FabricException.Unavailable($"Postgres did not answer in time ({point})."));

    private SimProcess _process = new(world.Scheduler, "postgres");

    public void Stop() => _process.Kill();

    public void Start()
    {
        if (!_process.IsAlive) _process = new SimProcess(world.Scheduler, "postgres");
    }

    public Task<T> AskAsync<T>(Point point, SimProcess from, int host, Func<T> statement, CancellationToken cancellationToken) => world.Wire.CallAsync(
        Statements, point, world.Faults.Send(point, host, Faults.Postgres), from, () => _process, () => Task.FromResult(statement()), cancellationToken);
}
