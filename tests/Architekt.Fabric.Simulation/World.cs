using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Hosts;
using Architekt.Fabric.Simulation.Peers;
using Architekt.Fabric.Simulation.Postgres;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation;

/// <summary>Three hosts, a Postgres, what lies between them, and one VM on the first host.</summary>
internal sealed class World
{
    public const string Vm = "vm";
    private const int Hosts = 3;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Response timeout, and how long it takes until a silo that does not answer is declared dead: Orleans' defaults, roughly.
    private static readonly Route ToASilo = new(
        Latency: 60,
        Timeout: 30_000_000,
        Notice: 10_000_000,
        static point => new Orleans.Runtime.SiloUnavailableException($"The silo is gone ({point})."),
        static point => new TimeoutException($"No answer within 30 s ({point})."));

    private static readonly Route ToItself = ToASilo with { Latency = 5 };

    private static readonly Route BetweenPeers = new(
        Latency: 80,
        Timeout: 8_000_000,
        Notice: 500,
        static point => new IOException($"connection reset ({point})"),
        static point => new IOException($"connection timed out ({point})"));

    private readonly Dictionary<string, SimSilo> _directory = [];

    public World(History history, SeededBug bug, Trace trace)
    {
        Bug = bug;
        Scheduler = new Scheduler(history.Seed, trace);
        var hasLease = HasLease = history.HasLease;
        IsRestarted = history.HasLease || history.IsRestarted;
        Tables = new Tables(() => Scheduler.Now, Machine with { HasLease = hasLease })
        {
            Vm = new VmInfo(
                Vm, VmState.Running, null, "host-a", 1, Machine.Package, Machine.PackageDigest, 1, 1 << 28, null, null, Start, Start,
                Restart: IsRestarted ? VmRestart.OnFailure : VmRestart.Never, Availability: hasLease ? VmAvailability.Failover : VmAvailability.Normal),
        };
        Observer = new Observer(Scheduler, Tables);
        Faults = new Faults(Scheduler, happening => Player.Happen(this, happening));
        Wire = new Wire(Scheduler, Faults.CarriedOut);
        Postgres = new SimPostgres(this);
        Machines = [.. Enumerable.Range(0, Hosts).Select(index => new SimMachine(this, index))];
        Client = new SimClient(this);
        foreach (var machine in Machines) machine.Silo.StartReported();
        Observer.Begin();
        Machines[0].Silo.StartTheVm(1);
    }

    public static MachineDescription Machine { get; } =
        new("guest", "sha256-" + new string('a', 64), "q35", "kvm", "host", 1, 1 << 28, "", null, "7.2.0", HasAgent: true);

    public static MigrationOptions Options { get; } = new();

    public static TimeSpan LeaseDuration { get; } = new FabricOptions().LeaseDuration;

    public static TimeSpan LeaseMargin { get; } = new FabricOptions().LeaseMargin;

    public SeededBug Bug { get; }

    /// <summary>Whether the VM may only run under a lease.</summary>
    public bool HasLease { get; }

    /// <summary>Whether the VM is started again, here or elsewhere, when it has failed or its host is dead.</summary>
    public bool IsRestarted { get; }

    /// <summary>When the last of what has happened so far will be over.</summary>
    public long TroubleUntil { get; set; }

    public Scheduler Scheduler { get; }

    public Wire Wire { get; }

    public Faults Faults { get; }

    public Tables Tables { get; }

    public SimPostgres Postgres { get; }

    public Observer Observer { get; }

    public IReadOnlyList<SimMachine> Machines { get; }

    /// <summary>All instances there ever were.</summary>
    public List<SimPeer> Peers { get; } = [];

    public SimClient Client { get; }

    public SimMachine MachineOf(string host) => Machines[host[^1] - 'a'];

    /// <summary>A host that does not own the VM.</summary>
    public string Another() => Machines[(MachineOf(Tables.Vm.Host).Index + (int)Scheduler.Pick(1, Hosts)) % Hosts].Name;

    public Task<T> AskSiloAsync<T>(
        Point point, SimProcess from, int fromHost, SimMachine target, Func<SimSilo, Task<T>> body, CancellationToken cancellationToken)
    {
        SimSilo? silo = null;
        return Wire.CallAsync(
            fromHost == target.Index ? ToItself : ToASilo,
            point,
            Faults.Send(point, fromHost, target.Index),
            from,
            () => (silo = target.Silo).IsServing ? silo.Process : null,
            () => body(silo!),
            cancellationToken);
    }

    /// <summary>NBD between two peers.</summary>
    public Task DataAsync(Point point, SimPeer from, SimPeer to, Func<Task> body, CancellationToken cancellationToken) => Wire.CallAsync(
        BetweenPeers,
        point,
        Faults.Send(point, from.Machine.Index, to.Machine.Index),
        from.Process,
        () => to.Process,
        async () =>
        {
            await body();
            return true;
        },
        cancellationToken);

    /// <summary>NBD from one silo to another.</summary>
    public Task<long> ReadDiskAsync(SimSilo from, SimMachine target, string operation)
    {
        SimSilo? silo = null;
        return Wire.CallAsync(
            BetweenPeers,
            Point.ReadDisk,
            Faults.Send(Point.ReadDisk, from.Machine.Index, target.Index),
            from.Process,
            () => (silo = target.Silo).Process,
            () => silo!.ReadDiskAsync(operation),
            CancellationToken.None);
    }

    /// <summary>Calls the grain of an operation, wherever Orleans thinks that it is.</summary>
    public Task StartDriverAsync(SimSilo caller, string operation) => AskSiloAsync(
        Point.Other,
        caller.Process,
        caller.Machine.Index,
        Locate(operation, caller.Machine),
        silo => StartAsync(silo, operation),
        CancellationToken.None);

    /// <summary>The destination's silo while it lives, else the source's; where it is once it is somewhere; and anywhere while the directory is split.</summary>
    public SimMachine Locate(string operation, SimMachine caller)
    {
        if (Tables.FindPlan(operation) is not { } plan) return MachineOf(Tables.FindCheckpointPlan(operation)!.Host);
        if (Faults.SplitUntil > Scheduler.Now) return Scheduler.Pick(0, 3) switch { 0 => MachineOf(plan.Source), 1 => caller, _ => MachineOf(plan.Destination) };
        if (_directory.TryGetValue(operation, out var known) && known.IsMember && known.Activations.ContainsKey(operation)) return known.Machine;
        var machine = MachineOf(plan.Destination).Silo.IsMember ? MachineOf(plan.Destination) : MachineOf(plan.Source);
        _directory[operation] = machine.Silo;
        return machine;
    }

    private static async Task<bool> StartAsync(SimSilo silo, string operation)
    {
        if (silo.IsCheckpoint(operation)) await silo.ActivateCheckpoint(operation).StartAsync(CancellationToken.None);
        else await silo.Activate(operation).Driver.StartAsync(CancellationToken.None);
        return true;
    }
}
