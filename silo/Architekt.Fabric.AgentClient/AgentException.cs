using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents;

/// <summary>A call to a guest agent failed.</summary>
public sealed class AgentException : Exception
{
    internal AgentException(AgentExceptionKind kind, string message, AgentReply? reply = null, Exception? cause = null)
        : base(message, cause)
    {
        Kind = kind;
        Reply = reply;
    }

    /// <summary>What sort of failure it is.</summary>
    public AgentExceptionKind Kind { get; }

    /// <summary>The agent's answer, when there was one.</summary>
    public AgentReply? Reply { get; }
}
