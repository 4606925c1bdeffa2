namespace Architekt.AgentProtocol;

/// <summary>One line from the host to the agent.</summary>
public sealed record AgentRequest
{
    /// <summary>Chosen by the host and repeated in the reply.</summary>
    public long? Id { get; init; }

    /// <summary>What to do, one of <see cref="AgentCalls"/>.</summary>
    public string? Call { get; init; }

    /// <summary>How long the call's hook may take, in milliseconds; the agent's own limit applies when absent or lower.</summary>
    public long? TimeoutMs { get; init; }

    /// <summary>The host's real-time clock, in nanoseconds since the Unix epoch; only for <see cref="AgentCalls.AfterResume"/>.</summary>
    public long? UnixTimeNanoseconds { get; init; }

    /// <summary>Fresh random bytes for the guest's kernel, base64; only for <see cref="AgentCalls.AfterResume"/>.</summary>
    public string? Entropy { get; init; }
}
