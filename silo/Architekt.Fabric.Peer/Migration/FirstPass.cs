using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Machine;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>What a destination has to be sent at first, by what it has already.</summary>
internal sealed class FirstPass
{
    private readonly IReadOnlyList<PageRange> _ranges;

    private FirstPass(IReadOnlyList<PageRange> ranges, bool destinationIsZero, long baseBytes)
    {
        _ranges = ranges;
        DestinationIsZero = destinationIsZero;
        BaseBytes = baseBytes;
    }

    public IEnumerable<PageRange> Ranges => _ranges;

    /// <summary>The destination's RAM is one hole: zeros need not be sent.</summary>
    public bool DestinationIsZero { get; }

    /// <summary>Bytes that hold something and are not sent, because the destination has them.</summary>
    public long BaseBytes { get; }

    /// <summary>Bytes of the first pass.</summary>
    public long Bytes => _ranges.Sum(static range => range.Length);

    /// <summary>To be planned after a scan, while everything that is written from now on is tracked.</summary>
    public static FirstPass Plan(GuestMemory memory, MemoryBases? bases, string? destinationHas)
    {
        if (destinationHas is null) return new FirstPass([.. memory.DataRanges()], destinationIsZero: true, 0);

        // Of a base that is not known here, anything may differ, and what is zero here may be something there.
        if (bases?.Differing(destinationHas) is not { } differing) return new FirstPass([new PageRange(0, memory.Length)], destinationIsZero: false, 0);
        var equal = new PageSet(memory.Length);
        foreach (var range in memory.DataRanges()) equal.Add(range);
        equal.ExceptWith(differing);
        return new FirstPass([.. differing], destinationIsZero: false, equal.Pages * GuestMemory.PageSize);
    }
}
