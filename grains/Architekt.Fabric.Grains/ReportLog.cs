using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Grains;

/// <summary>The newest report of an operation, and the way to whoever watches it. Used from one grain's scheduler only.</summary>
/// <typeparam name="T">The report.</typeparam>
/// <param name="first">What there is to say before anything has happened; its sequence is 0.</param>
/// <param name="time">The clock.</param>
/// <param name="begun">When the operation was asked for.</param>
internal abstract class ReportLog<T>(T first, TimeProvider time, DateTimeOffset begun)
{
    private TaskCompletionSource _changed = NewSource();

    public T Latest { get; private set; } = first;

    public double ElapsedMs => (time.GetUtcNow() - begun).TotalMilliseconds;

    /// <summary>The newest report, unless it is known already, and then each that comes, until the last; whoever is slow misses some, but never the last.</summary>
    /// <param name="afterSequence">What the watcher knows already.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<T> WatchAsync(long afterSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var latest = Latest;

        // Sequences of an activation that is gone mean nothing here.
        if (afterSequence > SequenceOf(latest)) afterSequence = 0;
        while (true)
        {
            if (SequenceOf(latest) > afterSequence || IsLast(latest)) yield return latest;
            if (IsLast(latest)) yield break;
            afterSequence = SequenceOf(latest);
            while (SequenceOf(Latest) <= afterSequence) await _changed.Task.WaitAsync(cancellationToken);
            latest = Latest;
        }
    }

    protected abstract long SequenceOf(T report);

    /// <summary>Whether nothing comes after it.</summary>
    protected abstract bool IsLast(T report);

    /// <summary>Tells all who watch.</summary>
    protected void Publish(T report)
    {
        Latest = report;
        var changed = _changed;
        _changed = NewSource();
        changed.SetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
