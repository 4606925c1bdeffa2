namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>One thing a layer says: that a file is there, or that one is not.</summary>
/// <param name="Path">The names on the way to it; empty for the root itself.</param>
/// <param name="Inode">The file; null for a hard link and a whiteout.</param>
internal sealed record LayerEntry(IReadOnlyList<string> Path, Inode? Inode)
{
    /// <summary>Of a hard link: the names on the way to the file it is another name of.</summary>
    internal IReadOnlyList<string>? HardLinkTo { get; init; }

    /// <summary>Whether everything beneath <see cref="Path"/> is hidden that lower layers have there (image-spec, layer.md, "Opaque Whiteout").</summary>
    internal bool IsOpaque { get; init; }

    /// <summary>Whether <see cref="Path"/> is hidden as lower layers have it, or what is beneath.</summary>
    internal bool IsWhiteout => Inode is null && HardLinkTo is null;

    /// <inheritdoc/>
    public override string ToString() => "/" + string.Join('/', Path);
}
