namespace Architekt.Fabric.Blueprints.Images;

/// <summary>An image that was found and whose documents are verified; its layers are verified when they are unpacked.</summary>
/// <param name="Files">Its files.</param>
/// <param name="Digest">Its identity.</param>
/// <param name="Layers">From the lowest up.</param>
internal sealed record Image(IImageFiles Files, string Digest, IReadOnlyList<ImageLayer> Layers) : IDisposable
{
    /// <summary>When it was made, if it says so.</summary>
    internal DateTimeOffset? Created { get; init; }

    /// <summary>How to start it, if it says so.</summary>
    internal ExecutionParameters Parameters { get; init; } = new();

    /// <inheritdoc/>
    public void Dispose() => Files.Dispose();
}
