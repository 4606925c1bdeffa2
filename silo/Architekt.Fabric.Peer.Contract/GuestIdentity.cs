namespace Architekt.Fabric.Peer;

/// <summary>Who a guest is after it has resumed from a package; the agent in the guest is told so (docs/agent-protocol.md).</summary>
/// <param name="Hostname">Its name; null leaves the packaged one.</param>
/// <param name="Address">IPv4 address and prefix length of its first network card, <c>10.0.0.5/24</c>; null leaves the packaged one.</param>
/// <param name="Gateway">IPv4 address of its default gateway; null leaves the packaged one.</param>
/// <param name="Fresh">
/// It is another machine than the packaged one: a new machine id, new random numbers, and <see cref="PeerInstance.Mac"/> in place of the packaged address. Until it has been told, or could
/// not be told, its TAP is down, so that it is not heard under the packaged one's addresses.
/// </param>
public sealed record GuestIdentity(string? Hostname, string? Address, string? Gateway, bool Fresh);
