namespace Architekt.Fabric.Qemu;

/// <summary>What <c>qemu-img info</c> says about an image.</summary>
public sealed record QemuImageInfo
{
    /// <summary>Format, e.g. <c>qcow2</c> or <c>raw</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Size the guest sees, in bytes.</summary>
    public required long VirtualSize { get; init; }

    /// <summary>Bytes on the host's disk.</summary>
    public long ActualSize { get; init; }

    /// <summary>The backing file as the header names it.</summary>
    public string? BackingFilename { get; init; }

    /// <summary>The backing file's full path.</summary>
    public string? FullBackingFilename { get; init; }

    /// <summary>The backing file's format.</summary>
    public string? BackingFilenameFormat { get; init; }
}
