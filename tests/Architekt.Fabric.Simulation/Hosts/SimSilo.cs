using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Peers;
using Architekt.Fabric.Simulation.Postgres;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>One life of a silo: the grains it has activated, and the host beneath it.</summary>
internal sealed partial class SimSilo
{
    private const long DeadAfter = 10_000_000;
    private static readonly Route ToAPeer = new(
        Latency: 30,
        Timeout: 0,
        Notice: 300,
        static point => FabricException.Unavailable($"The peer does not answer ({point})."),
        static point => new TimeoutException(point.ToString()));

    private readonly World _world;
    private readonly SimMachine _machine;

    public SimSilo(World world, SimMachine machine, int start)
    {
        _world = world;
        _machine = machine;
        Process = new SimProcess(world.Scheduler, start == 1 ? machine.Name : $"{machine.Name}#{start}");
        Vms = new SimVmStore(world, this);
        _watch = new LeaseWatch(World.LeaseDuration, world.Bug == SeededBug.NoMargin ? TimeSpan.Zero : World.LeaseMargin);
        Operations = new SimOperationStore(world, Process, machine.Index);
    }

    public SimProcess Process { get; }

    public SimMachine Machine => _machine;

    public IVmStore Vms { get; }

    public IOperationStore Operations { get; }

    public Dictionary<string, Activation> Activations { get; } = [];

    /// <summary>When a driver here last began to ask the destination of an operation whether it still has the guest.</summary>
    public Dictionary<string, long> Confirmations { get; } = [];

    public long? StoppedSince { get; set; }

    public bool IsDeclaredDead => StoppedSince is { } since && _world.Scheduler.Now - since > DeadAfter;

    /// <summary>Whether the fabric takes it for a member.</summary>
    public bool IsMember => Process.IsAlive && !IsDeclaredDead;

    /// <summary>It finds its VMs again before anybody can ask it, and reconciles a little later.</summary>
    public void Start()
    {
        if (_world.Bug != SeededBug.ServesBeforeAdoption) Process.Run(static state => ((SimSilo)state!).Adopt(), this);
        if (_world.HasLease) Process.Run(static state => ((SimSilo)state!).StartOwnership(), this);
        _world.Scheduler.After(_world.Scheduler.Pick(0, 1_000_000), Process, () => _ = ReconcileForEverAsync());
    }

    /// <summary>The activation of an operation's grain on this silo.</summary>
    public Activation Activate(string operation)
    {
        if (!Activations.TryGetValue(operation, out var activation))
        {
            activation = new Activation(_world, this, operation);
            Activations.Add(operation, activation);
        }

        return activation;
    }

    /// <summary>What <c>VmGrain.MigrateAsync</c> does.</summary>
    public async Task<OperationInfo> MigrateAsync(string operation, string destination)
    {
        var info = await Operations.FindAsync(operation, CancellationToken.None)
            ?? await Operations.BeginAsync(await PlanAsync(operation, destination), CancellationToken.None);
        if (info.Outcome == OperationOutcome.Running) await _world.StartDriverAsync(this, operation);
        return info;
    }

    private async Task<MigrationPlan> PlanAsync(string operation, string destination)
    {
        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
        if (vm.State != VmState.Running) throw FabricException.Conflict($"the VM is {vm.State}");
        if (vm.Host == destination) throw FabricException.Conflict($"the VM is on '{destination}' already");
        return new MigrationPlan(operation, World.Vm, vm.Host, destination, vm.Epoch, World.Machine, World.Options, Process.Time.GetUtcNow());
    }

    private Task<T> CallAsync<T>(SimPeer peer, Func<Task<T>> body) =>
        _world.Wire.CallAsync(ToAPeer, Point.Other, default, Process, () => peer.Process, body, CancellationToken.None);
}
