using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>All about a file but its names; hard links share it.</summary>
internal sealed record Inode
{
    internal required FileKind Kind { get; init; }

    /// <summary>The permissions with the set-id and sticky bits.</summary>
    internal int Mode { get; init; }

    internal uint UserId { get; init; }

    internal uint GroupId { get; init; }

    /// <summary>Seconds since 1970.</summary>
    internal long ModifiedAt { get; init; }

    /// <summary>Extended attributes by their full names (xattr(7)).</summary>
    internal IReadOnlyDictionary<string, byte[]> Attributes { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>Of a symbolic link, as it is written: nothing ever follows it outside of the tree.</summary>
    internal string Target { get; init; } = "";

    /// <summary>Of a regular file: where its content is kept.</summary>
    internal string ContentPath { get; init; } = "";

    /// <summary>Of a regular file, in bytes.</summary>
    internal long Size { get; init; }

    internal int DeviceMajor { get; init; }

    internal int DeviceMinor { get; init; }

    /// <summary>Two files may be alike in everything and are still two; hard links are one.</summary>
    public bool Equals(Inode? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
