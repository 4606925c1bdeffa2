using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Packages;

internal static partial class StoreLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Folder}, left over from an import or a removal that was interrupted")]
    internal static partial void LeftoverRemoved(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Imported the package {Digest} from {Source}")]
    internal static partial void Imported(ILogger logger, string digest, string source);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the package {Digest}")]
    internal static partial void Deleted(ILogger logger, string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The package {Digest} is left out of the list: {Problem}")]
    internal static partial void Damaged(ILogger logger, string digest, string problem);
}
