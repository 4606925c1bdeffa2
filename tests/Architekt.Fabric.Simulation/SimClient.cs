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
            if (ended.Outcome == OperationOutcome.Succeeded ? !world.Scheduler.Chance(30) : world.Tables.Vm.State is not (VmState.Running or VmState.Stopped or VmState.Failed)) return;
            destination = world.Scheduler.Chance(60) && ended.Outcome != OperationOutcome.Succeeded ? ended.Destination! : world.Another();
        }
    });

    public void Retry()
    {
        if (Last is { } operation && world.Tables.FindPlan(operation) is { } plan) Begin(() => RepeatAsync(() => AskAsync(operation, plan.Destination)));
    }

    public void Checkpoint(bool keepsRunning)
    {
        var operation = Last = $"op-{++_operations}";
        Begin(() => RepeatAsync(() => AskOwnerAsync(silo => silo.CheckpointAsync(operation, keepsRunning))));
    }

    public void Stop(bool force) => Begin(() => RepeatAsync(() => AskOwnerAsync(silo => silo.StopVmAsync(force))));

    public void Start() => Begin(() => RepeatAsync(() => AskOwnerAsync(static silo => silo.StartVmAsync())));

    /// <summary>An operator, who keeps the host off until he was told that it counts as dead or has given up on that.</summary>
    public void DeclareDead(SimMachine machine, long duration)
    {
        if (machine.IsOff) return;
        machine.SwitchOff();
        Begin(async () =>
        {
            await RepeatAsync(() => AskAsync(world.Machines[(machine.Index + (int)world.Scheduler.Pick(1, world.Machines.Count)) % world.Machines.Count], silo => silo.DeclareDeadAsync(machine.Name)));
            await _process.DelayAsync(duration);
            machine.SwitchOn();
        });
    }

    public void Cancel()
    {
        if (Last is not { } operation) return;
        Begin(() => RepeatAsync(async () =>
        {
            if (world.Tables.Find(operation) is null) return;
            await world.AskSiloAsync(Point.Other, _process, 0, world.Locate(operation, world.Machines[0]), silo => CancelAsync(silo, operation), CancellationToken.None);
            Cancelled.Add(operation);
        }));
    }

    private Task<OperationInfo> AskAsync(string operation, string destination) => AskOwnerAsync(silo => silo.MigrateAsync(operation, destination));

    /// <summary>The grain of a VM is where its owner is, and of one without an owner anywhere.</summary>
    private Task<T> AskOwnerAsync<T>(Func<SimSilo, Task<T>> body)
    {
        var owner = world.MachineOf(world.Tables.Vm.Host);
        return AskAsync(world.Tables.Vm.State == VmState.Lost && !owner.Silo.IsMember ? world.MachineOf(world.Another()) : owner, body);
    }

    private Task<T> AskAsync<T>(SimMachine machine, Func<SimSilo, Task<T>> body) =>
        world.AskSiloAsync(Point.Other, _process, machine.Index, machine, body, CancellationToken.None);

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
        if (silo.IsCheckpoint(operation)) await silo.ActivateCheckpoint(operation).CancelAsync(CancellationToken.None);
        else await silo.Activate(operation).Driver.CancelAsync(CancellationToken.None);
        return true;
    }
}
