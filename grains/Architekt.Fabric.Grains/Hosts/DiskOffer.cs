namespace Architekt.Fabric.Grains;

/// <summary>Where the disk of a stopped VM can be read, over NBD, until its migration has ended.</summary>
/// <param name="Address">IP address of the source.</param>
/// <param name="Port">TCP port of its NBD server.</param>
/// <param name="Export">Name of the read-only export; unguessable.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.disk-offer")]
public sealed record DiskOffer(string Address, int Port, string Export);
