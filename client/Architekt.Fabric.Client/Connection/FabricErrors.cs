using System.Net.Sockets;

namespace Architekt.Fabric.Client.Connection;

/// <summary>Says in the fabric's words what went wrong in Orleans.</summary>
internal static class FabricErrors
{
    /// <summary>The exception to throw in place of <paramref name="error"/>, or null to let it pass.</summary>
    public static FabricException? Translate(Exception error, FabricConnection connection, CancellationToken cancellationToken) => error switch
    {
        FabricException or ObjectDisposedException or ArgumentException => null,
        OperationCanceledException when cancellationToken.IsCancellationRequested => null,
        _ => Translate(error, connection.DescribeGateways(), connection.Options.CallTimeout),
    };

    public static FabricException Translate(Exception error, string gateways, TimeSpan callTimeout) => error switch
    {
        FabricException same => same,
        TimeoutException => new FabricException(
            FabricErrorCode.Timeout,
            $"The fabric at {gateways} did not answer within {callTimeout.TotalSeconds:0.#} seconds. What was asked may still happen: look before you repeat it.",
            isTransient: true,
            error),
        SiloUnavailableException or OrleansMessageRejectionException or GatewayTooBusyException or ClientNotAvailableException
            or EnumerationAbortedException or SocketException or OperationCanceledException =>
            FabricException.Unavailable($"The fabric at {gateways} cannot be reached now: {FirstSentence(error)}", error),
        _ when IsConnectionFailure(error) =>
            FabricException.Unavailable($"The fabric at {gateways} cannot be reached now: {FirstSentence(error)}", error),
        OrleansException => FabricException.Unavailable($"The fabric at {gateways} could not carry out the request: {FirstSentence(error)}", error),
        _ => new FabricException(
            FabricErrorCode.Internal, $"The fabric failed with an unexpected {error.GetType().Name}: {FirstSentence(error)}", isTransient: false, error),
    };

    // Orleans' type for it is internal to its messaging in some versions, public in others.
    private static bool IsConnectionFailure(Exception error) =>
        error.GetType().Name is "ConnectionFailedException" or "ConnectionAbortedException" or "SocketConnectionException";

    private static string FirstSentence(Exception error)
    {
        var line = error.Message.AsSpan().Trim();
        var end = line.IndexOfAny('\r', '\n');
        if (end >= 0) line = line[..end];
        return line.Length > 300 ? $"{line[..300]}..." : line.ToString();
    }
}
