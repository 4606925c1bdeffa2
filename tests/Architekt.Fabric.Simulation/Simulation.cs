using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Histories;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation;

/// <summary>Runs one history to its end and says what must not have happened in it.</summary>
internal static class Simulation
{
    private const long Second = 1_000_000;
    private const long Look = 200_000;

    /// <summary>How long a history goes on making trouble.</summary>
    private const long TroubleEnds = 25 * Second;

    /// <summary>The same where a host is given up only after 20 s.</summary>
    private const long LeaseTroubleEnds = 70 * Second;

    /// <summary>Within which time every operation has ended and everything is cleared up, once nothing goes wrong any more.</summary>
    private const long Bound = 240 * Second;

    public static IReadOnlyList<string> Run(History history, SeededBug bug = SeededBug.None, Trace? trace = null)
    {
        var context = SynchronizationContext.Current;
        try
        {
            var world = new World(history, bug, trace ?? new Trace(isOn: false));
            Play(world, history);
            return world.Observer.Violations;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private static void Play(World world, History history)
    {
        var unplayed = 0;
        foreach (var happening in history.Happenings)
        {
            if (happening.At is not null)
            {
                world.Faults.Await(happening);
                continue;
            }

            unplayed++;
            world.Scheduler.After(happening.Delay, null, () =>
            {
                unplayed--;
                Player.Happen(world, happening);
            });
        }

        if (world.HasLease || history.Happenings.Any(static happening => happening.Kind == Kind.DeclareDead)) Advance(world, LeaseTroubleEnds, () => unplayed == 0 && IsIdle(world) && world.Scheduler.Now >= world.TroubleUntil);
        else Advance(world, TroubleEnds, () => unplayed == 0 && IsIdle(world));
        Heal(world);
        var quietSince = Math.Max(world.Scheduler.Now, world.Faults.LastLate);
        Advance(world, quietSince + Bound, () => world.Scheduler.Now > quietSince && IsIdle(world));

        // What was still under way may have left something: two more passes of every reconciler.
        for (var pass = 0; pass < 2; pass++)
        {
            var since = world.Scheduler.Now + Second;
            Advance(world, quietSince + (2 * Bound), () => world.Machines.All(machine => machine.Silo.ReconciledSince >= since));
        }

        if (world.Observer.Violations.Count > 0) return;
        Aftermath.JudgeTheVm(world);
        if (!world.Observer.OwnerRuns)
        {
            // Whatever has become of it, it can be started, and has all that it has written.
            world.Client.Start();
            Advance(world, world.Scheduler.Now + Bound, () => world.Client.Waiting == 0 && world.Tables.Vm.State == VmState.Running);
            if (!world.Observer.OwnerRuns) world.Observer.Violate($"the VM cannot be started any more: {world.Tables.Vm.Reason}");
        }

        Aftermath.Judge(world);
    }

    private static bool IsIdle(World world) =>
        world.Client.Waiting == 0 && world.Faults.Pending == 0 && !world.Tables.HasRunning && (!world.IsRestarted || world.Observer.OwnerRuns || world.Tables.Vm.State is VmState.Stopped);

    private static void Heal(World world)
    {
        world.Faults.Heal();
        world.Postgres.Start();
        foreach (var machine in world.Machines) machine.Heal();
        if (world.Scheduler.Trace.IsOn) world.Scheduler.Trace.Write(world.Scheduler.Now, "** nothing goes wrong any more");
    }

    private static void Advance(World world, long end, Func<bool> isEnough)
    {
        var next = world.Scheduler.Now + Look;
        while (world.Scheduler.Now < end && world.Observer.Violations.Count == 0 && world.Scheduler.RunNext())
        {
            if (world.Scheduler.Now < next) continue;
            if (isEnough()) return;
            next = world.Scheduler.Now + Look;
        }
    }
}
