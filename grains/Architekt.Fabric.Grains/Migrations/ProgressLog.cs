namespace Architekt.Fabric.Grains;

/// <summary>The reports of a migration.</summary>
internal sealed class ProgressLog(TimeProvider time, DateTimeOffset begun)
    : ReportLog<MigrationProgress>(new MigrationProgress(0, MigrationPhase.Check, 0, TransferCounters.None, 0, 0, 0, null, null), time, begun)
{
    public void Report(Func<MigrationProgress, MigrationProgress> change) =>
        Publish(change(Latest) with { Sequence = Latest.Sequence + 1, ElapsedMs = ElapsedMs });

    protected override long SequenceOf(MigrationProgress report) => report.Sequence;

    protected override bool IsLast(MigrationProgress report) => report.Result is not null;
}
