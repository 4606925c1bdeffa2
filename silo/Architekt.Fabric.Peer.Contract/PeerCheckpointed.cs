namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/checkpoint</c>. All files are written out to their disk.</summary>
/// <param name="PauseMs">How long the guest stood still, or, if it ended, how long it took from its stop.</param>
/// <param name="MemoryBytes">Bytes of its RAM that are not zero; pages of zeros are holes of the file.</param>
/// <param name="StateBytes">Bytes of its devices' state.</param>
/// <param name="DiskBytes">Bytes of its disk that are not hole; 0 without a disk.</param>
public sealed record PeerCheckpointed(double PauseMs, long MemoryBytes, long StateBytes, long DiskBytes);
