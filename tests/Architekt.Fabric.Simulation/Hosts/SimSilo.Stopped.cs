using Architekt.Fabric.Grains;
using Architekt.Fabric.Simulation.Bugs;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <content>The host's part in moving a VM that does not run, as <c>HostRuntime</c>, <c>DiskExports</c> and <c>DiskFetch</c> play it.</content>
internal sealed partial class SimSilo
{
    private const int Pieces = 3;
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, SimDisk> _exports = [];
    private readonly Dictionary<string, Fetch> _fetches = [];

    private sealed class Fetch
    {
        public bool IsCancelled { get; set; }

        public bool IsComplete { get; set; }

        public string? Error { get; set; }

        public Task Running { get; set; } = Task.CompletedTask;
    }

    public DiskOffer OfferDisk(MigrationPlan plan)
    {
        if (!_machine.Disks.TryGetValue(plan.Epoch, out var disk)) throw new FabricException(FabricErrorCode.Failed, "its disk is gone");
        _exports.TryAdd(plan.Operation, disk);
        return new DiskOffer(_machine.Name, 0, plan.Operation);
    }

    public async Task<bool> StartFetchAsync(MigrationPlan plan)
    {
        var vm = (await Vms.FindAsync(plan.Vm, CancellationToken.None))!.Info;
        if (vm.Epoch != plan.Epoch || vm.Operation != plan.Operation) throw FabricException.StaleEpoch($"Migration '{plan.Operation}' is over.");
        if (_fetches.ContainsKey(plan.Operation)) return true;
        var fetch = new Fetch();
        _fetches.Add(plan.Operation, fetch);
        fetch.Running = FetchAsync(fetch, plan);
        return true;
    }

    public async Task<TransferStatus> GetFetchAsync(MigrationPlan plan)
    {
        if (!_fetches.TryGetValue(plan.Operation, out var fetch)) throw FabricException.NotFound("It is not fetching that disk.");
        var isBegun = _world.Bug == SeededBug.DiskTakenForWhole && _machine.Disks.ContainsKey(plan.NextEpoch);
        if (!isBegun) await Task.WhenAny(fetch.Running, Process.DelayAsync(1_000_000));
        if (fetch.IsComplete) await EndFetchAsync(plan.Operation);
        return new TransferStatus(_world.Scheduler.Now, fetch.IsComplete || isBegun, fetch.Error, TransferCounters.None, 0, 0, 0);
    }

    /// <summary>Reads of the disk another silo has on offer; the connection goes through the silos, because a VM that does not run has no peer.</summary>
    public Task<long> ReadDiskAsync(string operation) => _exports.TryGetValue(operation, out var disk)
        ? Task.FromResult(disk.Content)
        : throw new IOException("there is no such export");

    private async Task FetchAsync(Fetch fetch, MigrationPlan plan)
    {
        try
        {
            var content = await ReadAsync(fetch, plan);
            if (_world.Bug == SeededBug.DiskTakenForWhole) _machine.Disks[plan.NextEpoch].Content = content;
            else _machine.Disks.TryAdd(plan.NextEpoch, new SimDisk { Content = content });
            fetch.IsComplete = true;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            fetch.Error = $"the disk could not be fetched: {error.Message}";
        }
    }

    private async Task<long> ReadAsync(Fetch fetch, MigrationPlan plan)
    {
        var content = 0L;
        for (var piece = 0; piece < Pieces; piece++)
        {
            var read = await _world.ReadDiskAsync(this, _world.MachineOf(plan.Source), plan.Operation);
            content = piece > 0 && read != content ? SimDisk.Torn : read;
            if (_world.Bug == SeededBug.DiskTakenForWhole) _machine.Disks.TryAdd(plan.NextEpoch, new SimDisk { Content = SimDisk.Torn });
            await Process.DelayAsync(_world.Scheduler.Pick(1_000, _world.Scheduler.Chance(10) ? 3_000_000 : 100_000));
            if (fetch.IsCancelled) throw new OperationCanceledException("it was given up");
        }

        return content;
    }

    private async Task EndFetchAsync(string operation)
    {
        if (!_fetches.Remove(operation, out var fetch)) return;
        fetch.IsCancelled = true;
        await fetch.Running;
    }

    private async Task<IReadOnlyList<string>> CheckStoppedSourceAsync(MigrationPlan plan)
    {
        if (Find(plan.Epoch) is { Peer.Process.IsAlive: false } ending) await ending.Ended.WaitAsync(EndDeadline, Process.Time);
        if (Find(plan.Epoch) is not null || _starting.Contains(plan.Epoch)) return ["it runs"];
        return _machine.Disks.ContainsKey(plan.Epoch) ? [] : ["its disk is not here any more"];
    }
}
