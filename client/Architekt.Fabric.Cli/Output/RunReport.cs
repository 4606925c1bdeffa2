using Architekt.Fabric.Runner;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of <c>fabric run</c>, printed when the machine has ended.</summary>
/// <param name="Name">The machine.</param>
/// <param name="Package">Digest of its package.</param>
/// <param name="Start">How it began.</param>
/// <param name="StartMs">How long that took, from when its package was there.</param>
/// <param name="Forwards">Ports of this machine that led to the guest.</param>
/// <param name="End">How it ended.</param>
/// <param name="Reason">For people.</param>
/// <param name="Suspension">What it takes, suspended; null if it was not.</param>
internal sealed record RunReport(
    string Name, string Package, RunStart Start, double StartMs, IReadOnlyList<PortForward> Forwards, RunEndKind End, string Reason, RunSuspension? Suspension);
