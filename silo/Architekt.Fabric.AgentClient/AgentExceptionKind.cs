namespace Architekt.Fabric.Agents;

/// <summary>Why a call to a guest agent failed; what a caller does about it differs for each.</summary>
public enum AgentExceptionKind
{
    /// <summary>The guest's before-suspend hook said no: do not suspend.</summary>
    Veto,

    /// <summary>The guest's hook did not end in time and was killed.</summary>
    HookTimeout,

    /// <summary>The guest tried and could not: a hook, the clock or the entropy pool.</summary>
    Failed,

    /// <summary>The agent does not know the call or did not understand it: it speaks another version.</summary>
    Unsupported,

    /// <summary>The agent's socket cannot be connected to, or the connection ended before the answer.</summary>
    Unreachable,

    /// <summary>No answer in time: the guest has no agent, it hangs, or the guest is stopped. Whether the call had its effect is unknown.</summary>
    Timeout,
}
