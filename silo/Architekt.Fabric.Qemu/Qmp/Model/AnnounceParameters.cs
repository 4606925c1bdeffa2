namespace Architekt.Fabric.Qemu;

/// <summary>How the network cards announce themselves (QEMU, qapi/net.json, <c>AnnounceParameters</c>); defaults are QEMU's own.</summary>
/// <param name="Initial">Milliseconds before the first.</param>
/// <param name="Max">Most milliseconds between two.</param>
/// <param name="Rounds">How many.</param>
/// <param name="Step">Milliseconds by which the distance grows.</param>
public sealed record AnnounceParameters(long Initial = 50, long Max = 550, long Rounds = 5, long Step = 100);
