namespace Architekt.Fabric.Peer;

/// <summary>A line of <c>GET /v1/progress</c> and the answer to <c>GET /v1/transfer?after=N</c>.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="IsConverged">What is left fits the budget and the disk is in step.</param>
/// <param name="Error">Why it gave up, or null.</param>
/// <param name="Counters">What was moved.</param>
/// <param name="RemainingBytes">Memory known to be still to send.</param>
/// <param name="BytesPerSecond">Rate of the current or last round.</param>
/// <param name="DirtyBytesPerSecond">How fast the guest writes.</param>
public sealed record PeerTransfer(
    long Version,
    bool IsConverged,
    string? Error,
    PeerCounters Counters,
    long RemainingBytes,
    double BytesPerSecond,
    double DirtyBytesPerSecond);
