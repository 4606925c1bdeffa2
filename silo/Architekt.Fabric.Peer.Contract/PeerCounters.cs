namespace Architekt.Fabric.Peer;

/// <summary>What was moved; bytes.</summary>
/// <param name="Rounds">Rounds finished.</param>
/// <param name="MemoryBytes">Guest memory sent.</param>
/// <param name="ZeroBytes">Guest memory announced as zeros.</param>
/// <param name="SkippedBytes">Guest memory that never held anything.</param>
/// <param name="DiskBytes">Disk mirrored.</param>
/// <param name="StateBytes">Device state.</param>
/// <param name="LastRoundBytes">Memory sent while the guest stood still.</param>
/// <param name="BaseBytes">Guest memory that was not sent because the destination had it already, in its base.</param>
public sealed record PeerCounters(
    int Rounds, long MemoryBytes, long ZeroBytes, long SkippedBytes, long DiskBytes, long StateBytes, long LastRoundBytes,
    long BaseBytes = 0);
