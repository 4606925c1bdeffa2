using Architekt.Fabric.Simulation.Hosts;
using Architekt.Fabric.Simulation.Peers;
using Architekt.Fabric.Simulation.Postgres;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation;

/// <summary>Sees everything at once, which nobody in the fabric can, and remembers what must not have happened.</summary>
internal sealed class Observer(Scheduler scheduler, Tables tables)
{
    private readonly List<string> _violations = [];
    private readonly List<SimGuest> _running = [];
    private readonly HashSet<long> _given = [];
    private readonly HashSet<(string Host, long Epoch)> _started = [];
    private readonly HashSet<(string Host, long Epoch)> _startedAgain = [];
    private long _highestEpoch;

    public IReadOnlyList<string> Violations => _violations;

    public IReadOnlyList<SimGuest> Running => _running;

    /// <summary>How many of the guest's writes its clients have seen.</summary>
    public long Acknowledged { get; private set; }

    /// <summary>Guests whose processes were killed by the history itself.</summary>
    public HashSet<(string Host, long Epoch)> Killed { get; } = [];

    /// <summary>Guests that somebody wanted to stop.</summary>
    public HashSet<(string Host, long Epoch)> Stopped { get; } = [];

    public void Violate(string what)
    {
        _violations.Add(what);
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"!! VIOLATION: {what}");
    }

    /// <summary>A guest begins to execute.</summary>
    public void Runs(SimGuest guest)
    {
        foreach (var other in _running) Acknowledge(other);
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"   {guest} runs");
        foreach (var other in _running) Violate($"two copies run: {other} and {guest}");
        if (tables.Vm.Host != guest.Host || tables.Vm.Epoch != guest.Epoch)
            Violate($"{guest} runs, although '{tables.Vm.Host}' owns the VM with epoch {tables.Vm.Epoch}");
        if (guest.Disk.Content < Acknowledged) Violate($"{guest} runs, and its disk is without all of the {Acknowledged} writes that were acknowledged");
        if (!guest.Holds(Acknowledged)) Violate($"{guest} runs without all of the {Acknowledged} writes that were acknowledged");
        _running.Add(guest);
    }

    /// <summary>A guest does not execute any more.</summary>
    public void Stands(SimGuest guest)
    {
        if (!_running.Remove(guest)) return;
        Acknowledge(guest);
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"   {guest} stands");
    }

    /// <summary>An epoch was given to an operation, or to an owner.</summary>
    public void Given(long epoch)
    {
        if (!_given.Add(epoch)) Violate($"epoch {epoch} was given out twice");
    }

    /// <summary>The owner has changed.</summary>
    public void Moved()
    {
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"   '{tables.Vm.Host}' owns the VM with epoch {tables.Vm.Epoch}");
        if (tables.Vm.Epoch <= _highestEpoch) Violate($"the epoch went from {_highestEpoch} to {tables.Vm.Epoch}");
        _highestEpoch = tables.Vm.Epoch;
        foreach (var guest in _running) Violate($"{guest} was running when it lost the VM");
    }

    /// <summary>The disk of a VM has moved that did not run, and for the same reason does not run now.</summary>
    public void MovedStopped((string Host, long Epoch) from, (string Host, long Epoch) to)
    {
        if (Stopped.Contains(from)) Stopped.Add(to);
        if (Killed.Contains(from)) Killed.Add(to);
    }

    /// <summary>A guest was started from a disk or a package: what became of it before, under the same epoch, is over.</summary>
    public void Started(string host, long epoch)
    {
        Killed.Remove((host, epoch));
        Stopped.Remove((host, epoch));
        if (!_started.Add((host, epoch))) _startedAgain.Add((host, epoch));
    }

    /// <summary>
    /// What the VM is said to be doing. Of one that was started again by hand, which gives it no other epoch, a record of its former end may come late; its host's reconciler notices.
    /// </summary>
    public void Recorded()
    {
        if (tables.Vm.State is not (VmState.Failed or VmState.Stopped) || _startedAgain.Contains((tables.Vm.Host, tables.Vm.Epoch))) return;
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"   the VM is recorded as {tables.Vm.State}: {tables.Vm.Reason}");
        if (_running.Find(guest => guest.Host == tables.Vm.Host && guest.Epoch == tables.Vm.Epoch) is { } running)
            Violate($"{running} runs, and is recorded as {tables.Vm.State}: {tables.Vm.Reason}");
    }

    /// <summary>Whether the owner runs the VM, and nobody else does.</summary>
    public bool OwnerRuns => _running is [{ } guest] && guest.Host == tables.Vm.Host && guest.Epoch == tables.Vm.Epoch;

    /// <summary>The VM has been given a new epoch, to be started with or because its host was declared dead.</summary>
    public void BeginsAnew()
    {
        Moved();
        Given(tables.Vm.Epoch);
    }

    /// <summary>The same on a host that does not have its disk: it begins as its package.</summary>
    public void BeginsAsPackaged()
    {
        BeginsAnew();
        Acknowledged = 0;
    }

    /// <summary>A package was made.</summary>
    public void Packaged(Draft draft)
    {
        if (scheduler.Trace.IsOn) scheduler.Trace.Write(scheduler.Now, $"   package {draft.Name} is there, as of write {draft.State}");
        if (!draft.IsWhole) Violate($"package {draft.Name} holds RAM, devices and disk of different moments");
    }

    public void Begin()
    {
        _highestEpoch = tables.Vm.Epoch;
        Started(tables.Vm.Host, tables.Vm.Epoch);
    }

    private void Acknowledge(SimGuest guest) => Acknowledged = Math.Max(Acknowledged, guest.Written);
}
