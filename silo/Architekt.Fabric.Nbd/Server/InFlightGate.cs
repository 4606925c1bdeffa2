using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Nbd;

/// <summary>Bounds what one connection has in work, by number and by payload bytes. One receiver enters; anybody leaves.</summary>
internal sealed class InFlightGate(int maxRequests, long maxBytes)
{
    private readonly Lock _lock = new();

    // Resumed on another thread: the one that leaves is sending, and should go on sending.
    private readonly AsyncSignal _left = new(resumeOnSetter: false);
    private int _requests;
    private long _bytes;
    private long _wantedBytes;
    private bool _waiting;
    private TaskCompletionSource? _idle;

    /// <summary>Enters if there is room. A request larger than the whole limit may be alone.</summary>
    public bool TryEnter(long bytes)
    {
        lock (_lock)
        {
            if (!HasRoom(bytes))
                return false;
            _requests++;
            _bytes += bytes;
            return true;
        }
    }

    /// <summary>Waits for room and enters.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask EnterAsync(long bytes)
    {
        while (true)
        {
            lock (_lock)
            {
                if (HasRoom(bytes))
                {
                    _requests++;
                    _bytes += bytes;
                    return;
                }

                _wantedBytes = bytes;
                _waiting = true;
                _left.Reset();
            }

            await _left.WaitAsync().ConfigureAwait(false);
        }
    }

    public void Leave(long bytes)
    {
        lock (_lock)
        {
            _requests--;
            _bytes -= bytes;
            if (_requests == 0)
                _idle?.TrySetResult();
            if (!_waiting || !HasRoom(_wantedBytes))
                return;
            _waiting = false;
        }

        _left.Set();
    }

    /// <summary>Ends when nothing is in work. Nobody may enter any more.</summary>
    public Task WhenIdleAsync()
    {
        lock (_lock)
        {
            if (_requests == 0)
                return Task.CompletedTask;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _idle.Task;
        }
    }

    private bool HasRoom(long bytes) => _requests == 0 || (_requests < maxRequests && _bytes + bytes <= maxBytes);
}
