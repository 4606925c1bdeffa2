using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Qemu;

internal static partial class QmpLog
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Trace, Message = "QMP command {Command} ({Id}) sent")]
    public static partial void CommandSent(ILogger logger, string command, long id);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "QMP event {Event} at {Timestamp:O}")]
    public static partial void EventReceived(ILogger logger, string @event, DateTimeOffset timestamp);

    [LoggerMessage(EventId = 3, Level = LogLevel.Debug, Message = "QMP reply to {Id} has nobody waiting: its command was cancelled, or never ours")]
    public static partial void ReplyWithoutCommand(ILogger logger, long? id);

    [LoggerMessage(EventId = 4, Level = LogLevel.Debug, Message = "QMP connection ended: {Reason}")]
    public static partial void ConnectionEnded(ILogger logger, string reason);
}
