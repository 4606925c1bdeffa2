using Architekt.Fabric.Simulation.Hosts;

namespace Architekt.Fabric.Simulation.Histories;

/// <summary>Makes happen what a history says.</summary>
internal static class Player
{
    public static void Happen(World world, Happening happening)
    {
        var (faults, duration) = (world.Faults, happening.Duration);
        var host = HostOf(world, happening.Place);
        var other = HostOf(world, happening.Place == Place.Destination ? Place.Source : Place.Destination);
        world.TroubleUntil = Math.Max(world.TroubleUntil, world.Scheduler.Now + duration);
        switch (happening.Kind)
        {
            case Kind.Migrate: world.Client.Migrate(DestinationOf(world, happening.Place)); break;
            case Kind.Retry: world.Client.Retry(); break;
            case Kind.Cancel: world.Client.Cancel(); break;
            case Kind.Checkpoint: world.Client.Checkpoint(keepsRunning: happening.Place != Place.Third); break;
            case Kind.StopVm: world.Client.Stop(force: happening.Place == Place.Third); break;
            case Kind.StartVm: world.Client.Start(); break;
            case Kind.DeclareDead: world.Client.DeclareDead(host, duration); break;
            case Kind.KillSilo: host.KillSilo(duration); break;
            case Kind.StopSilo: host.StopSilo(duration); break;
            case Kind.KillPeer: host.KillPeers(); break;
            case Kind.StopPeer: host.StopPeers(duration); break;
            case Kind.KillQemu: host.KillQemus(); break;
            case Kind.KillHost: host.KillEverything(duration); break;
            case Kind.SuspendHost: host.Suspend(duration); break;
            case Kind.SetClock: world.Tables.SetForward += TimeSpan.FromMicroseconds(duration); break;
            case Kind.CutLink: faults.Cut(host.Index, other.Index, duration); break;
            case Kind.DisturbLink: faults.Disturb(host.Index, other.Index, duration); break;
            case Kind.CutPostgres: faults.Cut(host.Index, Faults.Postgres, duration); break;
            case Kind.SlowPostgres: faults.SlowPostgres(duration); break;
            case Kind.SplitDirectory: faults.SplitUntil = world.Scheduler.Now + duration; break;
            case Kind.StopPostgres:
                world.Postgres.Stop();
                world.Scheduler.After(duration, null, world.Postgres.Start);
                break;
            default: break;
        }
    }

    private static SimMachine HostOf(World world, Place place)
    {
        if (place == Place.Owner) return world.MachineOf(world.Tables.Vm.Host);
        var plan = world.Client.Last is { } last ? world.Tables.FindPlan(last) : null;
        var source = world.MachineOf(plan?.Source ?? "host-a").Index;
        var destination = world.MachineOf(plan?.Destination ?? "host-b").Index;
        return world.Machines[place switch { Place.Source => source, Place.Destination => destination, _ => 3 - source - destination }];
    }

    private static string DestinationOf(World world, Place place)
    {
        var owner = world.MachineOf(world.Tables.Vm.Host).Index;
        return world.Machines[(owner + (place == Place.Third ? 2 : 1)) % world.Machines.Count].Name;
    }
}
