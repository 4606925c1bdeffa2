using System.Threading.Tasks.Sources;

namespace Architekt.Fabric.Nbd;

/// <summary>Wakes one waiter, again and again, without allocating. <see cref="Reset"/> comes before each <see cref="Set"/>; the owner's lock orders them.</summary>
internal sealed class AsyncSignal(bool resumeOnSetter) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = !resumeOnSetter };

    public void Reset() => _core.Reset();

    public void Set() => _core.SetResult(true);

    public ValueTask WaitAsync() => new(this, _core.Version);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
