namespace Architekt.Fabric.Cli;

/// <summary>Which exit code an error or a result means.</summary>
internal static class ExitCodes
{
    /// <summary>For a command that failed with <paramref name="code"/>.</summary>
    public static ExitCode Of(FabricErrorCode code) => code switch
    {
        FabricErrorCode.InvalidArgument => ExitCode.Usage,
        FabricErrorCode.NotFound => ExitCode.NotFound,
        FabricErrorCode.AlreadyExists or FabricErrorCode.Conflict or FabricErrorCode.Refused
            or FabricErrorCode.NoCapacity or FabricErrorCode.Unsupported or FabricErrorCode.StaleEpoch => ExitCode.Conflict,
        FabricErrorCode.Timeout => ExitCode.Timeout,
        FabricErrorCode.Unavailable => ExitCode.Unreachable,
        FabricErrorCode.Cancelled => ExitCode.Cancelled,
        _ => ExitCode.Failed,
    };

    /// <summary>For a migration that has ended. The fabric was reachable, or nobody would know: a host that was not is a failure.</summary>
    public static ExitCode Of(MigrationResult result) => result switch
    {
        { Outcome: OperationOutcome.Succeeded } => ExitCode.Ok,
        { Outcome: OperationOutcome.Cancelled } => ExitCode.Cancelled,
        { ErrorCode: null or FabricErrorCode.Unavailable or FabricErrorCode.InvalidArgument } => ExitCode.Failed,
        { ErrorCode: { } code } => Of(code),
    };

    /// <summary>For a drain that has ended.</summary>
    public static ExitCode Of(DrainResult result) => result switch
    {
        { Outcome: OperationOutcome.Succeeded } => ExitCode.Ok,
        { Outcome: OperationOutcome.Cancelled } => ExitCode.Cancelled,
        { ErrorCode: { } code } => Of(code),
        _ => ExitCode.Failed,
    };
}
