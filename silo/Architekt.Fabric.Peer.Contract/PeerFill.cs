namespace Architekt.Fabric.Peer;

/// <summary>How far the RAM of a guest that resumed from a package has come (docs/migration.md, RAM that comes later).</summary>
/// <param name="State"><c>filling</c>, <c>complete</c> or <c>failed</c>. After a failure the guest waits as soon as it touches what could not be brought.</param>
/// <param name="PagesOnDemand">Pages of 4 KiB brought because the guest touched them, or a neighbour.</param>
/// <param name="FilledBytes">Bytes brought behind the guest's back.</param>
/// <param name="DataBytes">Bytes of the package's RAM that are not hole.</param>
/// <param name="Mode">What it does besides bringing what is touched: <c>none</c>, <c>idle</c> or <c>now</c>.</param>
public sealed record PeerFill(string State, long PagesOnDemand, long FilledBytes, long DataBytes, string Mode);
