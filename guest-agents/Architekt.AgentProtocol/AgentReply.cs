namespace Architekt.AgentProtocol;

/// <summary>One line from the agent to the host: the answer to the request with the same id.</summary>
public sealed record AgentReply
{
    /// <summary>The id of the request; null when the line had none that could be read.</summary>
    public long? Id { get; init; }

    /// <summary>Whether the call did all it was asked for.</summary>
    public bool Ok { get; init; }

    /// <summary>One of <see cref="AgentErrorCodes"/> when the call failed.</summary>
    public string? Code { get; init; }

    /// <summary>What went wrong, for people, when the call failed.</summary>
    public string? Error { get; init; }

    /// <summary>What the hook printed, at most <see cref="AgentLimits.MaxOutputCharacters"/> characters.</summary>
    public string? Output { get; init; }

    /// <summary>How long the call took inside the guest, in milliseconds.</summary>
    public long ElapsedMs { get; init; }

    /// <summary>How far the guest's clock was from the host's before it was touched, in nanoseconds; negative when it was behind.</summary>
    public long? ClockOffsetNanoseconds { get; init; }

    /// <summary>Whether the guest's clock was set.</summary>
    public bool? ClockSet { get; init; }

    /// <summary>The agent's protocol version, in the reply to a ping.</summary>
    public string? Version { get; init; }
}
