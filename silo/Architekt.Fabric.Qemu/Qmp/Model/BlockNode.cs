namespace Architekt.Fabric.Qemu;

/// <summary>A node of the block graph (QEMU, qapi/block-core.json, <c>BlockDeviceInfo</c>, the members the fabric reads).</summary>
public sealed record BlockNode
{
    /// <summary>Its name.</summary>
    public string? NodeName { get; init; }

    /// <summary>Its driver, e.g. <c>qcow2</c>, <c>nbd</c>, <c>file</c>.</summary>
    public required string Drv { get; init; }

    /// <summary>Its file.</summary>
    public required string File { get; init; }

    /// <summary>Whether it is read-only.</summary>
    public bool Ro { get; init; }

    /// <summary>Depth of the chain of backing files below it.</summary>
    public int BackingFileDepth { get; init; }
}
