using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Nbd;

/// <summary>What a <see cref="MemoryExport"/> is beside its memory.</summary>
public sealed class MemoryExportOptions
{
    /// <inheritdoc cref="INbdExport.IsReadOnly"/>
    public bool IsReadOnly { get; init; }

    /// <inheritdoc cref="INbdExport.Description"/>
    public string? Description { get; init; }

    /// <inheritdoc cref="INbdExport.IsListed"/>
    public bool IsListed { get; init; } = true;

    /// <summary>
    /// File that the memory is a shared mapping of, from offset 0; not closed by the export. With it holes are punched in the file and extents are read from it.
    /// Punching and writing through one file are coherent with the mapping on Linux.
    /// </summary>
    public SafeFileHandle? BackingFile { get; init; }

    /// <summary>Makes a range (offset, length; multiples of 4096) read as zeroes by giving its memory back. Goes before <see cref="BackingFile"/>.</summary>
    public Action<long, long>? PunchHole { get; init; }

    /// <summary>Called with a range (offset, length) after it was written, zeroed or trimmed and before the client gets its reply.</summary>
    public Action<long, long>? Written { get; init; }

    /// <summary>What a flush does; nothing by default, since memory has nothing behind it.</summary>
    public Func<CancellationToken, ValueTask>? Flush { get; init; }
}
