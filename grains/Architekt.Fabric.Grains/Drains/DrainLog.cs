namespace Architekt.Fabric.Grains;

/// <summary>The reports of a drain.</summary>
internal sealed class DrainLog(TimeProvider time, DateTimeOffset begun) : ReportLog<DrainProgress>(new DrainProgress(0, 0, [], null), time, begun)
{
    public void Report(IReadOnlyList<DrainedVm> vms, DrainResult? result = null)
    {
        if (result is null && Latest.Sequence > 0 && Latest.Vms.SequenceEqual(vms)) return;
        Publish(new DrainProgress(Latest.Sequence + 1, ElapsedMs, vms, result));
    }

    protected override long SequenceOf(DrainProgress report) => report.Sequence;

    protected override bool IsLast(DrainProgress report) => report.Result is not null;
}
