using Architekt.Fabric.Runner;

namespace Architekt.Fabric.Cli;

/// <summary>What goes wrong with a machine that is run here, as the command reports everything else.</summary>
internal static class RunnerErrors
{
    public static FabricException ToFabric(RunnerException error) => new(
        error.Code switch
        {
            RunnerErrorCode.Invalid => FabricErrorCode.InvalidArgument,
            RunnerErrorCode.Conflict => FabricErrorCode.Conflict,
            RunnerErrorCode.Refused => FabricErrorCode.Refused,
            RunnerErrorCode.Unsupported => FabricErrorCode.Unsupported,
            RunnerErrorCode.NoCapacity => FabricErrorCode.NoCapacity,
            _ => FabricErrorCode.Failed,
        },
        error.Message,
        innerException: error);
}
