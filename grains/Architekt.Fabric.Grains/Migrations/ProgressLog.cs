namespace Architekt.Fabric.Grains;

/// <summary>The newest report of a migration and a way to wait for the next. Used from one grain's scheduler only.</summary>
internal sealed class ProgressLog(TimeProvider time, DateTimeOffset begun)
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MigrationProgress Latest { get; private set; } =
        new(0, MigrationPhase.Check, 0, TransferCounters.None, 0, 0, 0, null, null);

    public double ElapsedMs => (time.GetUtcNow() - begun).TotalMilliseconds;

    public void Report(Func<MigrationProgress, MigrationProgress> change)
    {
        Latest = change(Latest) with { Sequence = Latest.Sequence + 1, ElapsedMs = ElapsedMs };
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    public async Task<MigrationProgress> WaitBeyondAsync(long sequence, CancellationToken cancellationToken)
    {
        while (Latest.Sequence <= sequence && Latest.Result is null) await _changed.Task.WaitAsync(cancellationToken);
        return Latest;
    }
}
