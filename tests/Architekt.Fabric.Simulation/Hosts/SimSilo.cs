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
        Ownership = new SimOwnershipStore(world, this);
        _watch = new LeaseWatch(World.LeaseDuration, world.Bug == SeededBug.NoMargin ? TimeSpan.Zero : World.LeaseMargin);
        Operations = new SimOperationStore(world, Process, machine.Index);
    }

    public SimProcess Process { get; }

    public SimMachine Machine => _machine;

    public IVmStore Vms { get; }

    public IOwnershipStore Ownership { get; }

    /// <summary>Whether it has come so far that others can reach it.</summary>
    public bool IsServing { get; private set; }

    public IOperationStore Operations { get; }

    public Dictionary<string, Activation> Activations { get; } = [];

    /// <summary>When a driver here last began to ask the destination of an operation whether it still has the guest.</summary>
    public Dictionary<string, long> Confirmations { get; } = [];

    public long? StoppedSince { get; set; }

    public bool IsDeclaredDead => StoppedSince is { } since && _world.Scheduler.Now - since > DeadAfter;

    /// <summary>Whether the fabric takes it for a member.</summary>
    public bool IsMember => Process.IsAlive && IsServing && !IsDeclaredDead;

    private VmCommands Commands =>
        new(World.Vm, host => new SimHostControl(_world, this, _world.MachineOf(host)), Vms, Ownership, Operations, Process.Time);

    /// <summary>It finds its VMs again and says that it is there before anybody can ask it, and reconciles a little later.</summary>
    public void Start()
    {
        RemoveDrafts();
        if (_world.Bug != SeededBug.ServesBeforeAdoption) Process.Run(static state => ((SimSilo)state!).Adopt(), this);
        Process.Run(static state => _ = ((SimSilo)state!).ReportAsync(), this);
    }

    /// <summary>The hosts are there already when a history begins.</summary>
    public void StartReported()
    {
        _world.Tables.Report(_machine.Name);
        Process.Run(static state => ((SimSilo)state!).Serve(), this);
    }

    public async Task<bool> DeclareDeadAsync(string host)
    {
        var fencing = new HostFencing(
            new SimHostStore(_world, this), Ownership, Vms, Operations, other => _world.MachineOf(other).Silo.IsMember, Process.Time);
        await fencing.DeclareDeadAsync(host, CancellationToken.None);
        return true;
    }

    public Task<VmInfo> StartVmAsync() => _world.Bug == SeededBug.StartsWhileMoved ? StartAnywayAsync() : Commands.StartAsync(CancellationToken.None);

    public Task<VmInfo> StopVmAsync(bool force) => Commands.StopAsync(force, CancellationToken.None);

    private async Task<VmInfo> StartAnywayAsync()
    {
        var vm = (await Vms.FindAsync(World.Vm, CancellationToken.None))!.Info;
        if (vm.State is not (VmState.Stopped or VmState.Failed)) return vm;
        await Vms.SetStateAsync(World.Vm, vm.Epoch, VmState.Starting, null, null, CancellationToken.None);
        await StartAsync(vm.Epoch);
        await Vms.SetStateAsync(World.Vm, vm.Epoch, VmState.Booting, null, null, CancellationToken.None);
        return vm;
    }

    private async Task ReportAsync()
    {
        while (true)
        {
            try
            {
                await AskAsync(Point.Report, () =>
                {
                    _world.Tables.Report(_machine.Name);
                    return true;
                });
                break;
            }
            catch (FabricException)
            {
                await Process.DelayAsync(1_000_000);
            }
        }

        Serve();
    }

    private void Serve()
    {
        IsServing = true;
        if (_world.IsRestarted) StartOwnership();
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
            ?? await Operations.BeginAsync(
                await Commands.PlanAsync(new MigrationRequest(operation, destination, World.Options), CancellationToken.None), CancellationToken.None);
        if (info.Outcome == OperationOutcome.Running) await _world.StartDriverAsync(this, operation);
        return info;
    }

    private Task<T> CallAsync<T>(SimPeer peer, Func<Task<T>> body) =>
        _world.Wire.CallAsync(ToAPeer, Point.Other, default, Process, () => peer.Process, body, CancellationToken.None);
}
