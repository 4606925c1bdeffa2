namespace Architekt.Fabric.Soak.Tests;

public sealed class SoakCountsTests
{
    private readonly SoakCounts _counts = new();

    [Fact]
    public void ToString_AfterManyMigrations_HasTheNearestRanksOfTheirPauses()
    {
        foreach (var pause in Enumerable.Range(1, 200).Reverse()) _counts.Migration(Ended(OperationOutcome.Succeeded, pause));
        _counts.Migration(Ended(OperationOutcome.Failed, pauseMs: 5000));
        _counts.Fault("kill-silo");
        _counts.Load(writes: 10, lost: 0);

        Assert.Equal("201 migrations, 1 faults, 0 violations, 0 lost writes, pause p50 100.0 ms, p99 198.0 ms", _counts.ToString());
        Assert.True(_counts.IsClean);
    }

    [Fact]
    public void IsClean_WithAViolation_IsFalseAndTheLineCountsIt()
    {
        _counts.Migration(Ended(OperationOutcome.Succeeded, 1));
        _counts.Violation("two copies ran at once");

        Assert.False(_counts.IsClean);
        Assert.Contains(", 1 violations, 0 lost writes,", _counts.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void IsClean_WithALostWrite_IsFalseAndTheLineCountsIt()
    {
        _counts.Migration(Ended(OperationOutcome.Succeeded, 1));
        _counts.Load(writes: 10, lost: 2);

        Assert.False(_counts.IsClean);
        Assert.Contains(", 0 violations, 2 lost writes,", _counts.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void IsClean_NothingHasMoved_IsFalse()
    {
        _counts.Migration(Ended(OperationOutcome.Failed, pauseMs: null));
        Assert.False(_counts.IsClean);
    }

    private static MigrationResult Ended(OperationOutcome outcome, double? pauseMs) => new(
        "op", "redis-1", "host-a", "host-b", "host-b", 2, outcome, FailedPhase: null, ErrorCode: null, Reason: null, TotalMs: 10, pauseMs,
        new Dictionary<MigrationPhase, double>(), Pause: null, TransferCounters.None, Verified: null);
}
