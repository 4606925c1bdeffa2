using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;

namespace Architekt.Fabric.Memory;

public sealed partial class GuestMemory
{
    private const int FillPiece = 4 << 20;

    /// <summary>True if every byte is zero. Vectorised by the runtime, and done at the first byte that is not.</summary>
    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    /// <summary>
    /// The ranges that have pages, in ascending order (SEEK_DATA and SEEK_HOLE, lseek(2)); between them the RAM is zero. A page of zeros that was
    /// written counts as data. Pages that appear while this runs may be left out: they are in the next dirty scan.
    /// </summary>
    public IEnumerable<PageRange> DataRanges()
    {
        RequireFilled();
        return DataRangesWithin(new PageRange(0, Length));
    }

    /// <summary>Fills RAM that is all hole with what a package has, all at once; what the package has nothing for stays hole.</summary>
    /// <param name="package">RAM of the same size.</param>
    /// <param name="cancellationToken">Ends it between two pieces.</param>
    /// <exception cref="MemoryFillException">The sizes differ, or the package could not be read.</exception>
    public void FillFrom(PackageMemory package, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(package);
        if (package.Length != Length)
            throw new MemoryFillException(MemoryFillError.Mismatch, $"The RAM {package.Path} has {package.Length} bytes and the guest's RAM {Path} has {Length}: they have to be equal.");
        foreach (var range in package.Data)
        {
            for (var offset = range.Offset; offset < range.End; offset += FillPiece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                package.Read(offset, GetSpan(offset, (int)Math.Min(FillPiece, range.End - offset)), out var failure);
                if (failure is not null)
                    throw failure;
            }
        }
    }

    /// <summary>Cuts a range into runs of zero pages and runs of data pages.</summary>
    /// <param name="range">Whole pages within the RAM.</param>
    /// <param name="maximumLength">Most bytes of one run; a positive multiple of <see cref="PageSize"/>, up to <see cref="MaximumWindow"/>.</param>
    public PageRunEnumerator SplitRuns(PageRange range, int maximumLength)
    {
        CheckPages(range.Offset, range.Length);
        if (maximumLength <= 0 || maximumLength % PageSize != 0 || maximumLength > MaximumWindow)
            throw new ArgumentOutOfRangeException(nameof(maximumLength), maximumLength, $"A run needs a positive multiple of {PageSize} bytes up to {MaximumWindow}.");
        return new PageRunEnumerator(this, range, maximumLength);
    }

    /// <summary>Offset of the first data at or after <paramref name="offset"/>, or <see cref="Length"/>.</summary>
    internal long NextData(long offset) => Seek(offset, Libc.SeekData);

    /// <summary>The parts of a range that have pages, also while the RAM is being filled.</summary>
    internal IEnumerable<PageRange> DataRangesWithin(PageRange range)
    {
        for (var start = NextData(range.Offset); start < range.End;)
        {
            var end = Math.Min(Seek(start, Libc.SeekHole), range.End);
            if (end > start) // equal if the page was given back just now
                yield return new PageRange(start, end - start);
            start = NextData(end);
        }
    }

    /// <summary>Which of up to 64 pages are in memory (mincore(2)), one bit each, the first page in bit 0.</summary>
    internal unsafe ulong PresentPages(long offset, int pages)
    {
        var states = stackalloc byte[64];
        fixed (byte* address = GetSpan(offset, pages * PageSize))
        {
            if (Libc.InCore(address, (nuint)pages * PageSize, states) != 0)
                throw Failed("ask for the pages of");
        }
        ulong present = 0;
        for (var i = 0; i < pages; i++)
            present |= (ulong)(states[i] & 1) << i;
        return present;
    }

    private long Seek(long offset, int whence)
    {
        if (offset >= Length)
            return Length;
        var found = Libc.Seek(_file, offset, whence);
        if (found >= 0)
            return Math.Min(found, Length);
        // ENXIO: nothing but hole from here to the end.
        return Marshal.GetLastPInvokeError() == Libc.ErrorNoSuchDevice ? Length : throw Failed("look for holes in");
    }
}
