using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents;

/// <summary>Hears the guest say that it is up.</summary>
public static class LivenessListener
{
    /// <summary>Waits for the guest's liveness message. It is said once in a guest's life, to the first host that listens.</summary>
    /// <param name="socketPath">The socket of the liveness port's character device (QEMU's <c>-chardev socket,server=on,wait=off</c>).</param>
    /// <param name="cancellationToken">Bounds the wait.</param>
    /// <exception cref="AgentException"><see cref="AgentExceptionKind.Unreachable"/>: there is no such socket, or QEMU ended first.</exception>
    public static async Task<LivenessMessage> WaitAsync(string socketPath, CancellationToken cancellationToken)
    {
        using var connection = await AgentConnection.OpenAsync(socketPath, cancellationToken);
        while (await connection.ReadAsync(AgentJsonContext.Default.LivenessMessage, cancellationToken) is { } message)
        {
            if (message.Live)
                return message;
        }

        throw new AgentException(
            AgentExceptionKind.Unreachable, $"The guest's liveness port at {socketPath} was closed before the guest was up: its QEMU ended, or another listener took the port.");
    }
}
