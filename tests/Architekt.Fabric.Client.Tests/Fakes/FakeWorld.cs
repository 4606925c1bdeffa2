using System.Collections.Concurrent;

namespace Architekt.Fabric.Client.Tests.Fakes;

/// <summary>What the fake grains answer from; outlives the silo they run in.</summary>
internal sealed class FakeWorld
{
    private readonly Lock _gate = new();
    private readonly List<FabricEvent> _events = [];
    private readonly List<MigrationProgress> _reports = [];

    public ConcurrentDictionary<string, VmInfo> Vms { get; } = new();

    public ConcurrentDictionary<string, OperationInfo> Operations { get; } = new();

    public ConcurrentDictionary<string, MigrationResult> Results { get; } = new();

    public ConcurrentQueue<MigrationRequest> Requests { get; } = new();

    public ConcurrentDictionary<string, CheckpointResult> Checkpoints { get; } = new();

    public ConcurrentQueue<CheckpointRequest> CheckpointRequests { get; } = new();

    public ConcurrentQueue<PackageMaking> Makings { get; } = new();

    /// <summary>What the checkpoint grain answers in turn; then that it goes on.</summary>
    public ConcurrentQueue<CheckpointResult?> CheckpointAnswers { get; } = new();

    public ConcurrentQueue<int> CheckpointWaits { get; } = new();

    public ConcurrentQueue<string> CancelledCheckpoints { get; } = new();

    /// <summary>Thrown by the checkpoint grain when it is waited for, if set.</summary>
    public Func<Exception?>? CheckpointFault { get; set; }

    public ConcurrentDictionary<string, DrainResult> Drains { get; } = new();

    public ConcurrentQueue<DrainRequest> DrainRequests { get; } = new();

    public ConcurrentQueue<DrainProgress> DrainReports { get; } = new();

    /// <summary>Thrown by the drain grain when a drain is asked for, if set.</summary>
    public Func<Exception?>? DrainFault { get; set; }

    public ConcurrentQueue<long> WatchedAfter { get; } = new();

    public ConcurrentQueue<byte[]> Typed { get; } = new();

    public ConcurrentQueue<PackageImport> Imports { get; } = new();

    /// <summary>Packages by the keys of their grains.</summary>
    public ConcurrentDictionary<string, PackageInfo> Packages { get; } = new();

    public ConcurrentQueue<string> Pulls { get; } = new();

    public PackageOffer? Offer { get; set; }

    public ConcurrentQueue<string> Closed { get; } = new();

    /// <summary>What the package grain answers to clients that want to send it, in turn.</summary>
    public ConcurrentQueue<PackageUploadOffer> UploadOffers { get; } = new();

    public ConcurrentQueue<string> Committed { get; } = new();

    public ConcurrentQueue<string> Discarded { get; } = new();

    public ConcurrentQueue<HostInfo> Hosts { get; } = new();

    /// <summary>VMs that were started.</summary>
    public ConcurrentQueue<VmSpec> Runs { get; } = new();

    /// <summary>Thrown by the VM grain's calls, if set and not null.</summary>
    public Func<Exception?>? VmFault { get; set; }

    /// <summary>Thrown by the migration grain when a watcher comes, if set.</summary>
    public Func<Exception?>? WatchFault { get; set; }

    public string Log { get; set; } = "";

    public long LogEpoch { get; set; } = 1;

    public void Report(MigrationProgress report)
    {
        lock (_gate) _reports.Add(report);
    }

    public IReadOnlyList<MigrationProgress> ReportsAfter(long sequence)
    {
        lock (_gate) return [.. _reports.Where(report => report.Sequence > sequence)];
    }

    public void Record(FabricEvent happened)
    {
        lock (_gate) _events.Add(happened);
    }

    public IReadOnlyList<FabricEvent> Events(long after, int limit)
    {
        lock (_gate)
        {
            var ordered = _events.OrderBy(happened => happened.Sequence).ToList();
            return after < 0 ? [.. ordered.TakeLast(limit)] : [.. ordered.Where(happened => happened.Sequence > after).Take(limit)];
        }
    }
}
