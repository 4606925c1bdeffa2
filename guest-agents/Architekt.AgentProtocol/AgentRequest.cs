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

    /// <summary>The host's real-time clock, in nanoseconds since the Unix epoch; only for <see cref="AgentCalls.AfterResume"/> and <see cref="AgentCalls.Identity"/>.</summary>
    public long? UnixTimeNanoseconds { get; init; }

    /// <summary>Fresh random bytes for the guest's kernel, base64; only for <see cref="AgentCalls.AfterResume"/> and <see cref="AgentCalls.Identity"/>.</summary>
    public string? Entropy { get; init; }

    /// <summary>The guest's name; null leaves it. This and what follows: only for <see cref="AgentCalls.Identity"/>.</summary>
    public string? Hostname { get; init; }

    /// <summary>MAC address of the first network card, six hexadecimal bytes joined by colons; null leaves it.</summary>
    public string? Mac { get; init; }

    /// <summary>IPv4 address and prefix length of the first network card, <c>10.0.0.5/24</c>, in place of those it has; null leaves them.</summary>
    public string? Address { get; init; }

    /// <summary>IPv4 address of the default gateway; null leaves it.</summary>
    public string? Gateway { get; init; }

    /// <summary>The machine id (machine-id(5)), 32 hexadecimal digits in lower case; null leaves it.</summary>
    public string? MachineId { get; init; }
}
