namespace Architekt.Fabric.Client.Connection;

/// <summary>Waits between attempts, longer each time, and gives up when nothing has answered for <see cref="FabricClientOptions.ReconnectTimeout"/>.</summary>
internal sealed class Patience(FabricClientOptions options)
{
    private static readonly TimeSpan _longestDelay = TimeSpan.FromSeconds(5);
    private readonly TimeProvider _time = options.TimeProvider;
    private long _lastAnswer = options.TimeProvider.GetTimestamp();
    private TimeSpan _delay = options.RetryDelay;

    /// <summary>Whether an attempt has failed since the last answer.</summary>
    public bool IsTried { get; private set; }

    /// <summary>Something answered.</summary>
    public void Reset()
    {
        _lastAnswer = _time.GetTimestamp();
        _delay = options.RetryDelay;
        IsTried = false;
    }

    /// <summary>Waits before the next attempt, or throws <paramref name="error"/> when it has been too long.</summary>
    public async Task WaitAsync(FabricException error, CancellationToken cancellationToken)
    {
        IsTried = true;
        if (_time.GetElapsedTime(_lastAnswer) >= options.ReconnectTimeout)
        {
            throw new FabricException(
                error.Code, $"{error.Message} Nothing has answered for {options.ReconnectTimeout.TotalSeconds:0} seconds.", error.IsTransient, error);
        }

        await Task.Delay(_delay, _time, cancellationToken).ConfigureAwait(false);
        _delay = _delay * 2 < _longestDelay ? _delay * 2 : _longestDelay;
    }
}
