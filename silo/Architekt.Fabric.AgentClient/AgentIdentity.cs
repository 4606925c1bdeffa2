namespace Architekt.Fabric.Agents;

/// <summary>Who a guest is to be; null leaves what it has.</summary>
/// <param name="Hostname">Its name.</param>
/// <param name="Mac">MAC address of its first network card, six hexadecimal bytes joined by colons.</param>
/// <param name="Address">IPv4 address and prefix length of that card, <c>10.0.0.5/24</c>.</param>
/// <param name="Gateway">IPv4 address of its default gateway.</param>
/// <param name="MachineId">Its machine id (machine-id(5)), 32 hexadecimal digits in lower case.</param>
public sealed record AgentIdentity(string? Hostname, string? Mac, string? Address, string? Gateway, string? MachineId);
