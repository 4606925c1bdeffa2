namespace Architekt.Fabric;

/// <summary>What a migration has moved so far. Bytes are payload bytes.</summary>
/// <param name="Rounds">Rounds finished, the last one included.</param>
/// <param name="MemoryBytes">Guest memory sent, in bytes.</param>
/// <param name="ZeroBytes">Guest memory announced as zeros instead of sent, in bytes.</param>
/// <param name="SkippedBytes">Guest memory not sent because it never held anything, in bytes.</param>
/// <param name="DiskBytes">Disk mirrored, in bytes.</param>
/// <param name="StateBytes">Device state, in bytes.</param>
/// <param name="LastRoundBytes">Memory sent while the guest stood still, in bytes; part of <paramref name="MemoryBytes"/>.</param>
/// <param name="BaseBytes">Guest memory not sent because the destination's base held the same, in bytes.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.transfer-counters")]
public sealed record TransferCounters(
    int Rounds,
    long MemoryBytes,
    long ZeroBytes,
    long SkippedBytes,
    long DiskBytes,
    long StateBytes,
    long LastRoundBytes,
    long BaseBytes = 0)
{
    /// <summary>Everything that crossed the wire as payload, in bytes.</summary>
    public long BytesOnWire => MemoryBytes + DiskBytes + StateBytes;

    /// <summary>Nothing yet.</summary>
    public static TransferCounters None { get; } = new(0, 0, 0, 0, 0, 0, 0);
}
