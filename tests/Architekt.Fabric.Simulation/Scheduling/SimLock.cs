namespace Architekt.Fabric.Simulation.Scheduling;

/// <summary>One at a time, in the order they came.</summary>
internal sealed class SimLock
{
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _isHeld;

    public async Task<T> DoAsync<T>(Func<Task<T>> action)
    {
        if (_isHeld)
        {
            var turn = new TaskCompletionSource();
            _waiting.Enqueue(turn);
            await turn.Task;
        }

        _isHeld = true;
        try
        {
            return await action();
        }
        finally
        {
            if (_waiting.TryDequeue(out var next)) next.TrySetResult();
            else _isHeld = false;
        }
    }
}
