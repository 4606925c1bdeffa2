namespace Architekt.AgentProtocol;

/// <summary>Names and bounds both sides of the agent protocol agree on (docs/agent-protocol.md).</summary>
public static class AgentLimits
{
    /// <summary>The version of the protocol; grows when a change would be misread by the other side.</summary>
    public const string ProtocolVersion = "1";

    /// <summary>The name of the agent's virtio-serial port.</summary>
    public const string AgentPortName = "org.architekt.agent";

    /// <summary>The name of the liveness port.</summary>
    public const string LivenessPortName = "org.architekt.liveness";

    /// <summary>The longest line either side accepts, in bytes, without its line feed.</summary>
    public const int MaxLineBytes = 64 * 1024;

    /// <summary>The most hook output carried in a reply, in characters; the rest is dropped.</summary>
    public const int MaxOutputCharacters = 4 * 1024;

    /// <summary>The most entropy one call may carry, in bytes: what the kernel's pool holds twice over (drivers/char/random.c, POOL_BITS).</summary>
    public const int MaxEntropyBytes = 64;
}
