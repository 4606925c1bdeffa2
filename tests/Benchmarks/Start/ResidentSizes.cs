namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>How much of a guest's RAM is there, in bytes, after a start with <c>--fill none</c>.</summary>
/// <param name="AtStart">When it has answered for the first time.</param>
/// <param name="Later">Two seconds later.</param>
/// <param name="Filled">After all of the package was brought.</param>
/// <param name="Package">What the package has.</param>
internal sealed record ResidentSizes(long AtStart, long Later, long Filled, long Package);
