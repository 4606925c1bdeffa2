using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>Lets nothing out of our grains that a caller could not read: what is neither ours nor Orleans' becomes an internal error.</summary>
internal sealed partial class ErrorFilter(ILogger<ErrorFilter> logger) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (Exception error) when (IsOurs(context)
            && error is not (FabricException or OrleansException or OperationCanceledException or TimeoutException))
        {
            LogUnexpected(context.InterfaceName, context.MethodName, error);
            throw new FabricException(FabricErrorCode.Internal, $"{context.MethodName} failed unexpectedly: {error.Message}", innerException: error);
        }
    }

    private static bool IsOurs(IIncomingGrainCallContext context) =>
        context.TargetContext?.GrainInstance?.GetType().Assembly == typeof(ErrorFilter).Assembly;

    [LoggerMessage(1301, LogLevel.Error, "{Interface}.{Method} failed unexpectedly")]
    private partial void LogUnexpected(string @interface, string method, Exception error);
}
