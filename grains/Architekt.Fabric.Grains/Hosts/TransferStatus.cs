namespace Architekt.Fabric.Grains;

/// <summary>How far the source's peer is with copying.</summary>
/// <param name="Version">Grows with every change; ask for the next with it.</param>
/// <param name="IsConverged">What is left fits the pause budget and the disk mirror is in step.</param>
/// <param name="Error">Why it gave up; null while it has not.</param>
/// <param name="Transfer">What was moved.</param>
/// <param name="RemainingBytes">Memory known to be still to send, in bytes.</param>
/// <param name="BytesPerSecond">Rate of the current or last round.</param>
/// <param name="DirtyBytesPerSecond">How fast the guest writes memory.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.transfer-status")]
public sealed record TransferStatus(
    long Version,
    bool IsConverged,
    string? Error,
    TransferCounters Transfer,
    long RemainingBytes,
    double BytesPerSecond,
    double DirtyBytesPerSecond);
