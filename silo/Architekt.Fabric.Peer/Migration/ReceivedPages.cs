using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>Which pages of a guest came from its source. Several connections bring them at the same time.</summary>
internal sealed class ReceivedPages(long length)
{
    private readonly Lock _lock = new();
    private readonly PageSet _pages = new(length);

    /// <summary>Notes all pages that a range of bytes touches.</summary>
    public void Add(long offset, long count)
    {
        if (count == 0) return;
        var start = offset - (offset % GuestMemory.PageSize);
        var end = offset + count + GuestMemory.PageSize - 1;
        lock (_lock) _pages.Add(new PageRange(start, end - (end % GuestMemory.PageSize) - start));
    }

    /// <summary>Forgets what came so far.</summary>
    public void Clear()
    {
        lock (_lock) _pages.Clear();
    }

    /// <summary>What came since the last <see cref="Clear"/>.</summary>
    public PageSet ToSet()
    {
        lock (_lock) return _pages.Clone();
    }
}
