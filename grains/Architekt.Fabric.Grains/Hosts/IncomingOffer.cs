namespace Architekt.Fabric.Grains;

/// <summary>Where a destination's peer takes what the source's peer pushes. The names are unguessable and live as long as the migration.</summary>
/// <param name="Address">IP address of the destination's peer.</param>
/// <param name="Port">TCP port of its NBD server.</param>
/// <param name="MemoryExport">Name of the writable export that is the guest's RAM.</param>
/// <param name="StateExport">Name of the writable export that takes the device state; FLUSH hands it to QEMU.</param>
/// <param name="DiskPort">TCP port that carries QEMU's own NBD for the disk; 0 without a disk.</param>
/// <param name="DiskToken">What to say first on that port.</param>
/// <param name="BaseName">What the destination's RAM holds already; null if it is all zeros.</param>
/// <param name="BasesExport">Name of the export that takes what the source knows of its bases; null if it is not wanted.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.incoming-offer")]
public sealed record IncomingOffer(
    string Address,
    int Port,
    string MemoryExport,
    string StateExport,
    int DiskPort,
    string DiskToken,
    string? BaseName = null,
    string? BasesExport = null);
