namespace Architekt.Fabric.Packages;

/// <summary>Why something about a package failed.</summary>
public enum PackageErrorCode
{
    /// <summary>There is no such package, source or entry.</summary>
    NotFound,

    /// <summary>A manifest, a name, a reference or a source is not what it must be.</summary>
    Invalid,

    /// <summary>An entry's content is not what its manifest says.</summary>
    DigestMismatch,

    /// <summary>The manifest is of a newer format than this version reads.</summary>
    UnsupportedVersion,

    /// <summary>The disk of the store, or of the archive being written, is full.</summary>
    NoSpace,

    /// <summary>The name already stands for another package, or the archive to write is there already.</summary>
    Exists,

    /// <summary>Someone uses the package, or brings it in already.</summary>
    InUse,
}
