namespace Architekt.Fabric.Blueprints.Images;

/// <summary>A layer of an image.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Digest">The file's digest; null where the source gives none.</param>
/// <param name="Size">The file's length; null where the source gives none.</param>
/// <param name="DiffId">The digest of the tar in it; null where the source gives none.</param>
internal sealed record ImageLayer(string Path, string? Digest, long? Size, string? DiffId);
