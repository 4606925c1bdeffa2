namespace Architekt.Fabric.Grains;

/// <summary>The newest report of a drain and a way to wait for the next. Used from one grain's scheduler only.</summary>
internal sealed class DrainLog(TimeProvider time, DateTimeOffset begun)
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DrainProgress Latest { get; private set; } = new(0, 0, [], null);

    public double ElapsedMs => (time.GetUtcNow() - begun).TotalMilliseconds;

    public void Report(IReadOnlyList<DrainedVm> vms, DrainResult? result = null)
    {
        if (result is null && Latest.Sequence > 0 && Latest.Vms.SequenceEqual(vms)) return;
        Latest = new DrainProgress(Latest.Sequence + 1, ElapsedMs, vms, result);
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    public async Task<DrainProgress> WaitBeyondAsync(long sequence, CancellationToken cancellationToken)
    {
        while (Latest.Sequence <= sequence && Latest.Result is null) await _changed.Task.WaitAsync(cancellationToken);
        return Latest;
    }
}
