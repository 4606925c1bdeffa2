namespace Architekt.Fabric.Runner;

/// <summary>How a machine ended.</summary>
/// <param name="Kind">That.</param>
/// <param name="Reason">For people.</param>
public sealed record RunEnd(RunEndKind Kind, string Reason);
