using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation;

/// <summary>Whoever uses the fabric: asks, repeats what was not answered under the same id, cancels.</summary>
internal sealed class SimClient(World world)
{
    private const int Attempts = 6;
    private const int MostOperations = 5;
    private readonly SimProcess _process = new(world.Scheduler, "client");
    private int _operations;

    /// <summary>The id asked for last.</summary>
    public string? Last { get; private set; }

    /// <summary>Requests that are not answered yet.</summary>
    public int Waiting { get; private set; }

    /// <summary>Operations a client was told are cancelled.</summary>
    public HashSet<string> Cancelled { get; } = [];

    /// <summary>Asks for a migration, and goes on when it has ended: one that failed is repeated at once, after one that succeeded another may follow.</summary>
    public void Migrate(string destination) => Begin(async () =>
    {
        while (_operations < MostOperations)
        {
            var operation = $"op-{++_operations}";
            Last = operation;
            await RepeatAsync(() => AskAsync(operation, destination));
            while (world.Tables.Find(operation) is { Outcome: OperationOutcome.Running }) await _process.DelayAsync(250_000);
            if (world.Tables.Find(operation) is not { } ended) return;
            if (ended.Outcome == OperationOutcome.Succeeded ? !world.Scheduler.Chance(30) : world.Tables.Vm.State != VmState.Running) return;
            destination = world.Scheduler.Chance(60) && ended.Outcome != OperationOutcome.Succeeded ? ended.Destination! : world.Another();
        }
    });

    public void Retry()
    {
        if (Last is { } operation && world.Tables.FindPlan(operation) is { } plan) Begin(() => RepeatAsync(() => AskAsync(operation, plan.Destination)));
    }

    public void Cancel()
    {
        if (Last is not { } operation) return;
        Begin(() => RepeatAsync(async () =>
        {
            if (world.Tables.FindPlan(operation) is null) return;
            await world.AskSiloAsync(Point.Other, _process, 0, world.Locate(operation, world.Machines[0]), silo => CancelAsync(silo, operation), CancellationToken.None);
            Cancelled.Add(operation);
        }));
    }

    private Task<OperationInfo> AskAsync(string operation, string destination)
    {
        var owner = world.MachineOf(world.Tables.Vm.Host);
        return world.AskSiloAsync(Point.Other, _process, owner.Index, owner, silo => silo.MigrateAsync(operation, destination), CancellationToken.None);
    }

    private void Begin(Func<Task> request)
    {
        Waiting++;
        _process.Run(static state => ((Action)state!)(), new Action(() => _ = AttendAsync(request)));
    }

    private async Task AttendAsync(Func<Task> request)
    {
        await request();
        Waiting--;
    }

    private async Task RepeatAsync(Func<Task> ask)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                await ask();
                return;
            }
            catch (Exception error) when (error is OrleansException or TimeoutException or FabricException { IsTransient: true })
            {
                await _process.DelayAsync(500_000);
            }
            catch (FabricException error)
            {
                if (world.Scheduler.Trace.IsOn) world.Scheduler.Trace.Write(world.Scheduler.Now, $"   client is told: {error.Message}");

                // Something else is under way.
                if (error.Code != FabricErrorCode.Conflict) return;
                await _process.DelayAsync(1_500_000);
            }
        }
    }

    private static async Task<bool> CancelAsync(SimSilo silo, string operation)
    {
        await silo.Activate(operation).Driver.CancelAsync(CancellationToken.None);
        return true;
    }
}
