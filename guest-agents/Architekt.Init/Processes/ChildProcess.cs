namespace Architekt.Init.Processes;

/// <summary>A process of ours; the reaper says when it has ended.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly ManualResetEventSlim _ended = new();

    internal required int Id { get; init; }

    internal ExitStatus Status { get; private set; }

    internal bool WaitForExit(TimeSpan timeout) => _ended.Wait(timeout);

    internal void SetEnded(ExitStatus status)
    {
        Status = status;
        _ended.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _ended.Dispose();
}
