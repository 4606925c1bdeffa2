namespace Architekt.Fabric.Memory;

/// <summary>A run of guest pages.</summary>
/// <param name="Offset">First byte, counted from the start of the RAM; a multiple of <see cref="GuestMemory.PageSize"/>.</param>
/// <param name="Length">Bytes; a multiple of <see cref="GuestMemory.PageSize"/>.</param>
public readonly record struct PageRange(long Offset, long Length)
{
    /// <summary>The first byte after the run.</summary>
    public long End => Offset + Length;

    /// <summary>Number of pages in the run.</summary>
    public long Pages => Length / GuestMemory.PageSize;
}
