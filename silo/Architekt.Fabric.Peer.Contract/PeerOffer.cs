namespace Architekt.Fabric.Peer;

/// <summary>Answer to <c>POST /v1/incoming</c>: where the source pushes to.</summary>
/// <param name="Address">IP address.</param>
/// <param name="Port">TCP port of the NBD server.</param>
/// <param name="MemoryExport">Name of the RAM's export.</param>
/// <param name="StateExport">Name of the device state's export.</param>
/// <param name="DiskPort">TCP port that carries QEMU's NBD; 0 without a disk.</param>
/// <param name="DiskToken">What to say first on it.</param>
/// <param name="BaseName">What the destination's RAM holds already, by <see cref="PeerBase.Name"/>; null if it is all zeros.</param>
/// <param name="BasesExport">Name of the export that takes what the source knows of its bases, for the guest's next migration; null if it is not wanted.</param>
public sealed record PeerOffer(
    string Address, int Port, string MemoryExport, string StateExport, int DiskPort, string DiskToken,
    string? BaseName = null, string? BasesExport = null);
