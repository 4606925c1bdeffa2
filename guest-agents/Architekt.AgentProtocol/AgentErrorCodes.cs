namespace Architekt.AgentProtocol;

/// <summary>Why a call failed, in <see cref="AgentReply.Code"/> (docs/agent-protocol.md, "Errors").</summary>
public static class AgentErrorCodes
{
    /// <summary>The before-suspend hook said no with a non-zero exit code.</summary>
    public const string Veto = "veto";

    /// <summary>A hook did not end in time and was killed.</summary>
    public const string HookTimeout = "hookTimeout";

    /// <summary>The guest could not do what was asked: an after-resume hook, the clock or the entropy pool refused.</summary>
    public const string Failed = "failed";

    /// <summary>The agent does not know this call; it is older than the host.</summary>
    public const string UnknownCall = "unknownCall";

    /// <summary>The line was not a request: no JSON object, a missing or wrong field, or too long.</summary>
    public const string BadRequest = "badRequest";
}
