using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;
using Architekt.Fabric.Simulation.Scheduling;
using Orleans.Runtime;

namespace Architekt.Fabric.Simulation;

/// <summary>Whoever uses the fabric: asks, repeats what was not answered under the same id, cancels.</summary>
internal sealed class SimClient(World world)
{
    private const int Attempts = 6;
    private readonly SimProcess _process = new(world.Scheduler, "client");
    private int _operations;

    /// <summary>The id asked for last.</summary>
    public string? Last { get; private set; }

    /// <summary>Requests that are not answered yet.</summary>
    public int Waiting { get; private set; }

    /// <summary>Operations a client was told are cancelled.</summary>
    public HashSet<string> Cancelled { get; } = [];

    public void Migrate(string destination)
    {
        Last = $"op-{++_operations}";
        Ask(Last, destination);
    }

    public void Retry()
    {
        if (Last is not null && world.Tables.FindPlan(Last) is { } plan) Ask(Last, plan.Destination);
    }

    public void Cancel()
    {
        if (Last is not { } operation) return;
        Begin(async () =>
        {
            if (world.Tables.FindPlan(operation) is null) return false;
            await world.AskSiloAsync(Point.Other, _process, 0, world.Locate(operation, world.Machines[0]), silo => CancelAsync(silo, operation), CancellationToken.None);
            Cancelled.Add(operation);
            return true;
        });
    }

    private void Ask(string operation, string destination) => Begin(async () =>
    {
        var owner = world.MachineOf(world.Tables.Vm.Host);
        await world.AskSiloAsync(Point.Other, _process, owner.Index, owner, silo => silo.MigrateAsync(operation, destination), CancellationToken.None);
        return true;
    });

    private void Begin(Func<Task<bool>> ask)
    {
        Waiting++;
        _process.Run(static state => _ = ((Func<Task>)state!)(), new Func<Task>(() => RepeatAsync(ask)));
    }

    private async Task RepeatAsync(Func<Task<bool>> ask)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                await ask();
                break;
            }
            catch (Exception error) when (error is OrleansException or TimeoutException or FabricException { IsTransient: true })
            {
                await _process.DelayAsync(500_000);
            }
            catch (FabricException error)
            {
                if (world.Scheduler.Trace.IsOn) world.Scheduler.Trace.Write(world.Scheduler.Now, $"   client is told: {error.Message}");

                // Something else is under way.
                if (error.Code != FabricErrorCode.Conflict) break;
                await _process.DelayAsync(1_500_000);
            }
        }

        Waiting--;
    }

    private static async Task<bool> CancelAsync(SimSilo silo, string operation)
    {
        await silo.Activate(operation).Driver.CancelAsync(CancellationToken.None);
        return true;
    }
}
