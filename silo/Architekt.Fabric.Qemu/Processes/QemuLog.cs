using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Qemu;

internal static partial class QemuLog
{
    [LoggerMessage(EventId = 11, Level = LogLevel.Information, Message = "QEMU started as process {Pid}: {Command}")]
    public static partial void Started(ILogger logger, int pid, string command);

    [LoggerMessage(EventId = 12, Level = LogLevel.Information, Message = "QEMU process {Pid} ended with exit code {ExitCode}")]
    public static partial void Ended(ILogger logger, int pid, int exitCode);
}
