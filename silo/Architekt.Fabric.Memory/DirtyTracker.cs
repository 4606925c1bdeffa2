using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>
/// Finds the pages of guest RAM that a process wrote, with PAGEMAP_SCAN on its page tables (Linux 6.7). Costs the guest one short fault for each page it writes
/// after a scan, and nothing else. Not for use from several threads at once.
/// </summary>
/// <remarks>
/// <para>Read pages after the scan that reported them: what is written between the two is found by the next scan.</para>
/// <para>The report may name pages whose content did not change. It never misses a write made through the mapping; it cannot see writes that bypass it: by other
/// processes, by DMA into pinned pages, or memory given back to the host (balloon, free page reporting), which therefore must be off.</para>
/// </remarks>
public sealed partial class DirtyTracker : IDisposable
{
    /// <summary>Written runs closer than this are protected by one call: 16 pages.</summary>
    public const int DefaultMergeGapPages = 16;

    private const int DefaultRegions = 4096;

    private readonly SafeFileHandle _pagemap;
    private readonly SafeFileHandle _process;
    private readonly ulong _start;
    private readonly ulong _end;
    private readonly ulong _gap;
    private readonly PageRegion[] _regions;
    private readonly List<PageRange> _candidates = [];
    private readonly Lock _lock = new(); // while a fill changes what is registered, a scan would find the mapping disarmed

    private DirtyTracker(ArmedMapping mapping, SafeFileHandle process, SafeFileHandle pagemap, int mergeGapPages, int regionCapacity)
    {
        Mapping = mapping;
        _process = process;
        _pagemap = pagemap;
        _start = mapping.Address;
        _end = mapping.Address + mapping.Length;
        _gap = (ulong)mergeGapPages * GuestMemory.PageSize;
        _regions = GC.AllocateUninitializedArray<PageRegion>(regionCapacity, pinned: true);
        Written = new PageSet((long)mapping.Length);
    }

    /// <summary>The mapping that is tracked.</summary>
    public ArmedMapping Mapping { get; }

    /// <summary>
    /// Every page that a scan since the last <see cref="ProtectAll"/> has reported. After a scan, these are the pages that differ from what the RAM was then, a package's RAM for example:
    /// a destination that has it needs only these. All pages, once a scan was not complete. Changes with every scan; <see cref="PageSet.Clone"/> keeps a state.
    /// </summary>
    public PageSet Written { get; }

    /// <summary>Opens the page tables of a process. Needs the same user as the process, or CAP_SYS_PTRACE.</summary>
    /// <param name="mapping">What the process reported.</param>
    /// <param name="mergeGapPages">
    /// Written runs at most this many pages apart are protected by one call. The kernel tells KVM about the whole range it is given, so a large gap costs the
    /// guest mappings, a small one costs calls.
    /// </param>
    /// <exception cref="IOException">The process is gone, or its page tables may not be read.</exception>
    public static DirtyTracker Attach(ArmedMapping mapping, int mergeGapPages = DefaultMergeGapPages) => Attach(mapping, mergeGapPages, DefaultRegions);

    internal static DirtyTracker Attach(ArmedMapping mapping, int mergeGapPages, int regionCapacity)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        ArgumentOutOfRangeException.ThrowIfNegative(mergeGapPages);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(regionCapacity);
        var process = Libc.OpenProcess(Libc.SystemCallPidfdOpen, mapping.Pid, 0);
        if (process.IsInvalid)
            throw CouldNotAttach(mapping, "it is no longer running");
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{mapping.Pid}/pagemap");
        var pagemap = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        if (!pagemap.IsInvalid)
            return new DirtyTracker(mapping, process, pagemap, mergeGapPages, regionCapacity);
        var exception = CouldNotAttach(mapping, $"{path}: {Libc.LastError()}. The peer has to run as QEMU's user or with CAP_SYS_PTRACE");
        process.Dispose();
        throw exception;
    }

    /// <summary>
    /// Protects every page, pages that do not exist yet included, and forgets what was written so far. Call it once before the guest runs: until then, every page
    /// may count as written. Takes 2 MiB of page tables for each GiB of RAM.
    /// </summary>
    /// <exception cref="IOException">The process is gone or its RAM is not armed.</exception>
    public void ProtectAll()
    {
        int result;
        lock (_lock)
        {
            var scan = PagemapScan.ForProtection(_start, _end);
            result = scan.Run(_pagemap);
            if (result >= 0 && IsRunning())
            {
                Written.Clear();
                return;
            }
        }
        throw new IOException(Classify(result) switch
        {
            DirtyScanOutcome.ProcessGone => $"Could not protect the RAM of process {Mapping.Pid}: it is no longer running.",
            DirtyScanOutcome.Disarmed => $"Could not protect the RAM of process {Mapping.Pid}: it is not under asynchronous write protection. Was the arming library preloaded?",
            _ => $"Could not protect the RAM of process {Mapping.Pid}: {Marshal.GetPInvokeErrorMessage(-result)}.",
        });
    }

    /// <summary>Finds the pages written since the last scan and protects them again. A page written meanwhile is in this report or the next.</summary>
    /// <param name="ranges">Is cleared and filled: ascending, not touching each other, offsets counted from the start of the RAM. Give the same list each time.</param>
    public DirtyScan Collect(List<PageRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        lock (_lock)
            return CollectLocked(ranges);
    }

    /// <summary>Stops tracking. The mapping stays armed.</summary>
    public void Dispose()
    {
        _pagemap.Dispose();
        _process.Dispose();
    }

    private DirtyScan CollectLocked(List<PageRange> ranges)
    {
        var begin = Stopwatch.GetTimestamp();
        ranges.Clear();
        _candidates.Clear();
        // Looking comes first and protecting only where something was found: the kernel drops KVM's mappings of the whole range that is given with PM_SCAN_WP_MATCHING.
        var result = Scan(0, _start, _end, _gap, _candidates);
        foreach (var candidate in CollectionsMarshal.AsSpan(_candidates))
        {
            if (result < 0)
                break;
            result = Scan(PagemapScan.ProtectMatching, _start + (ulong)candidate.Offset, _start + (ulong)candidate.End, 0, ranges);
        }
        // A dead process has no mappings, and the kernel reports nothing written for it instead of an error.
        var outcome = Classify(result);
        long pages = 0;
        foreach (var range in CollectionsMarshal.AsSpan(ranges))
        {
            pages += range.Pages;
            Written.Add(range);
        }
        if (outcome != DirtyScanOutcome.Complete)
            Written.AddAll();
        return new DirtyScan(outcome, pages, Stopwatch.GetElapsedTime(begin));
    }

    private unsafe int Scan(ulong flags, ulong start, ulong end, ulong gap, List<PageRange> ranges)
    {
        while (start < end)
        {
            var vector = (PageRegion*)Marshal.UnsafeAddrOfPinnedArrayElement(_regions, 0);
            var scan = PagemapScan.ForWritten(flags, start, end, vector, _regions.Length);
            var count = scan.Run(_pagemap);
            if (count < 0)
                return count;
            foreach (ref readonly var region in _regions.AsSpan(0, count))
                Append(ranges, region, gap);
            // With room left in the vector, the kernel walked to the end. Otherwise go on behind the last region, not at walk_end: the kernel gathers 512 regions at a
            // time, and the walk_end of a scan that took several turns may be that of an earlier turn (seen with 6.18), so that pages would come up twice and out of order.
            if (count < _regions.Length)
                return 0;
            start = _regions[count - 1].End;
        }
        return 0;
    }

    private void Append(List<PageRange> ranges, in PageRegion region, ulong gap)
    {
        var offset = (long)(region.Start - _start);
        var end = (long)(region.End - _start);
        if (ranges.Count > 0 && ranges[^1] is var last && offset - last.End <= (long)gap)
            ranges[^1] = new PageRange(last.Offset, end - last.Offset);
        else
            ranges.Add(new PageRange(offset, end - offset));
    }

    private DirtyScanOutcome Classify(int result) =>
        !IsRunning() ? DirtyScanOutcome.ProcessGone
        : result == -Libc.ErrorNotPermitted ? DirtyScanOutcome.Disarmed
        : result < 0 ? DirtyScanOutcome.Failed
        : DirtyScanOutcome.Complete;

    private unsafe bool IsRunning()
    {
        var held = false;
        try
        {
            _process.DangerousAddRef(ref held);
            var state = new PollDescriptor { Descriptor = (int)_process.DangerousGetHandle(), Events = Libc.PollIn };
            return Libc.Poll(&state, 1, 0) == 0;
        }
        finally
        {
            if (held)
                _process.DangerousRelease();
        }
    }

    private static IOException CouldNotAttach(ArmedMapping mapping, string reason) => new($"Could not track the RAM of process {mapping.Pid}: {reason}.");
}
