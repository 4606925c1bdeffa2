using System.Globalization;
using DbUp.Engine.Output;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Database;

/// <summary>Hands DbUp's chatter on at debug level: what an operator should know of it is said by <see cref="FabricSchema"/>.</summary>
internal sealed partial class DbUpLog(ILogger logger) : IUpgradeLog
{
    public void LogTrace(string format, params object[] args) => Write(null, format, args);

    public void LogDebug(string format, params object[] args) => Write(null, format, args);

    public void LogInformation(string format, params object[] args) => Write(null, format, args);

    public void LogWarning(string format, params object[] args) => Write(null, format, args);

    public void LogError(string format, params object[] args) => Write(null, format, args);

    public void LogError(Exception ex, string format, params object[] args) => Write(ex, format, args);

    private void Write(Exception? error, string format, object[] args) =>
        LogStep(logger, args.Length == 0 ? format : string.Format(CultureInfo.InvariantCulture, format, args), error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Schema: {Step}")]
    private static partial void LogStep(ILogger logger, string step, Exception? error);
}
