namespace Architekt.Fabric.Nbd;

/// <summary>An export while it is served: counts the requests that touch it, so that it can be taken away safely.</summary>
internal sealed class ExportRegistration(INbdExport export)
{
    private const long Closed = 1L << 62;

    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _state;

    public INbdExport Export => export;

    public bool IsClosed => (Volatile.Read(ref _state) & Closed) != 0;

    /// <summary>False when the export was taken away; otherwise <see cref="Exit"/> must follow.</summary>
    public bool TryEnter()
    {
        if ((Interlocked.Increment(ref _state) & Closed) == 0)
            return true;
        Exit();
        return false;
    }

    public void Exit()
    {
        if (Interlocked.Decrement(ref _state) == Closed)
            _idle.TrySetResult();
    }

    /// <summary>Lets nobody in any more; the task ends when the last one has left.</summary>
    public Task CloseAsync()
    {
        if (Interlocked.Or(ref _state, Closed) == 0)
            _idle.TrySetResult();
        return _idle.Task;
    }
}
