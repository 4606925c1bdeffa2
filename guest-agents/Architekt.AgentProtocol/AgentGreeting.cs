namespace Architekt.AgentProtocol;

/// <summary>What the agent says unasked whenever a host connects.</summary>
/// <param name="Agent">Always true; tells the line from a reply.</param>
/// <param name="Version">The agent's protocol version.</param>
public sealed record AgentGreeting(bool Agent, string Version);
