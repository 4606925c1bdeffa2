namespace Architekt.Fabric.Peer.Hosting;

/// <summary>A logger whose factory is made when something is logged for the first time, at the latest: a guest that resumes does not wait for it.</summary>
internal sealed class LazyLogger<T>(Lazy<ILoggerFactory> factory) : ILogger<T>
{
    private readonly Lazy<ILogger> _logger = new(() => factory.Value.CreateLogger<T>());

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _logger.Value.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => _logger.Value.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _logger.Value.Log(logLevel, eventId, state, exception, formatter);
}
