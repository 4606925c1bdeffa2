namespace Architekt.Fabric.Nbd;

/// <summary>One line of a server's list of exports.</summary>
/// <param name="Name">Name to connect with.</param>
/// <param name="Description">Text for humans, or null.</param>
/// <param name="Size">Size in bytes, or null when the server did not say.</param>
/// <param name="Flags">What the export offers, or <see cref="NbdFeatures.None"/> when the server did not say.</param>
public sealed record NbdExportInfo(string Name, string? Description, long? Size, NbdFeatures Flags);
