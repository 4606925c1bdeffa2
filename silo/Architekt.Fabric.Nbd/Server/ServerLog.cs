using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Nbd;

internal static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Debug, "NBD: a client opened export '{Export}'")]
    public static partial void Opened(ILogger logger, string export);

    [LoggerMessage(2, LogLevel.Debug, "NBD: a connection broke: {Reason}")]
    public static partial void Broken(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Error, "NBD: export '{Export}' failed in {Command} at {Offset} for {Length} bytes")]
    public static partial void ExportFailed(ILogger logger, string export, NbdCommand command, long offset, long length, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "NBD: closed a new connection because {Limit} are open")]
    public static partial void TooMany(ILogger logger, int limit);

    [LoggerMessage(5, LogLevel.Warning, "NBD: a client of removed export '{Export}' did not let its requests end; its connection was cut")]
    public static partial void Cut(ILogger logger, string export);

    [LoggerMessage(6, LogLevel.Error, "NBD: accepting connections on {EndPoint} failed; trying again")]
    public static partial void AcceptFailed(ILogger logger, string endPoint, Exception exception);
}
