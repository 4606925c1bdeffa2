namespace Architekt.Fabric.Peer.Migration;

/// <summary>What an outgoing migration has moved; written by the copy, waited for by whoever watches.</summary>
internal sealed class TransferLog
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PeerTransfer _latest = new(0, IsConverged: false, null, new PeerCounters(0, 0, 0, 0, 0, 0, 0), 0, 0, 0);

    public PeerTransfer Latest
    {
        get
        {
            lock (_lock) return _latest;
        }
    }

    public void Report(Func<PeerTransfer, PeerTransfer> change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _latest = change(_latest) with { Version = _latest.Version + 1 };
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    /// <summary>Something newer than <paramref name="version"/>, or the latest after <paramref name="longest"/>.</summary>
    public async Task<PeerTransfer> WaitBeyondAsync(long version, TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        Task changed;
        lock (_lock)
        {
            if (_latest.Version > version) return _latest;
            changed = _changed.Task;
        }

        await changed.WaitAsync(longest, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Latest;
    }
}
