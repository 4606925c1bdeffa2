namespace Architekt.AgentProtocol;

/// <summary>What the liveness port says, once.</summary>
/// <param name="Live">Always true.</param>
/// <param name="Version">The protocol version.</param>
/// <param name="BootMs">Milliseconds from the start of the guest's kernel to this message.</param>
public sealed record LivenessMessage(bool Live, string Version, long BootMs);
