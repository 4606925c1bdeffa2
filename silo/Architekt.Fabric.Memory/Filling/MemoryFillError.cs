namespace Architekt.Fabric.Memory;

/// <summary>Why guest RAM could not be filled.</summary>
public enum MemoryFillError
{
    /// <summary>The package's RAM file could not be read, or is shorter than it was.</summary>
    PackageUnreadable,

    /// <summary>The package does not go with the guest's RAM: its size is another.</summary>
    Mismatch,

    /// <summary>A page was there before it was brought. Somebody else made it, and its content is not the package's.</summary>
    ForeignPage,

    /// <summary>There is no room for the page: tmpfs is full, or the host is out of memory.</summary>
    NoSpace,

    /// <summary>The guest's process is gone.</summary>
    ProcessGone,

    /// <summary>The kernel refused: the RAM is not armed for filling, or this process may not do it.</summary>
    Refused,
}
