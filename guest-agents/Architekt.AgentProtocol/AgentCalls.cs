namespace Architekt.AgentProtocol;

/// <summary>The calls a host may make (docs/agent-protocol.md, "Calls").</summary>
public static class AgentCalls
{
    /// <summary>Prepares the guest for a pause; may be vetoed by the guest.</summary>
    public const string BeforeSuspend = "beforeSuspend";

    /// <summary>Tells the guest that it runs again: clock, entropy, hook.</summary>
    public const string AfterResume = "afterResume";

    /// <summary>Makes a guest that has resumed from a package another machine: name, addresses, machine id, entropy.</summary>
    public const string Identity = "identity";

    /// <summary>Asks whether the agent is there; does nothing.</summary>
    public const string Ping = "ping";
}
