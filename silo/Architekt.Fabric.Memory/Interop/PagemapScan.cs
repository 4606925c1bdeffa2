using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory.Interop;

/// <summary>struct page_region: a run of pages with the same categories (include/uapi/linux/fs.h, Linux 6.7).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PageRegion
{
    public ulong Start;
    public ulong End;
    public ulong Categories;
}

/// <summary>struct pm_scan_arg, the argument of PAGEMAP_SCAN (include/uapi/linux/fs.h; Documentation/admin-guide/mm/pagemap.rst).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PagemapScan
{
    /// <summary>_IOWR('f', 16, struct pm_scan_arg).</summary>
    public const uint Request = 0xC0606610;

    /// <summary>PM_SCAN_WP_MATCHING: write-protect the pages that are reported, in the same step.</summary>
    public const ulong ProtectMatching = 1;

    /// <summary>PM_SCAN_CHECK_WPASYNC: fail (EPERM) where the range is not under asynchronous write protection.</summary>
    public const ulong CheckAsynchronous = 2;

    /// <summary>PAGE_IS_WRITTEN.</summary>
    public const ulong Written = 2;

    public ulong Size;
    public ulong Flags;
    public ulong Start;
    public ulong End;
    private readonly ulong _walkEnd;
    public ulong Vector;
    public ulong VectorLength;
    public ulong MaximumPages;
    public ulong CategoryInverted;
    public ulong CategoryMask;
    public ulong CategoryAnyOf;
    public ulong ReturnMask;

    /// <summary>
    /// Reports written pages. Mask and return mask are exactly PAGE_IS_WRITTEN: the kernel then judges by the write-protect bit alone, so an
    /// entry whose page was swapped out or unmapped without protection still counts as written (pagemap_scan_pmd_entry, fs/proc/task_mmu.c).
    /// </summary>
    public static PagemapScan ForWritten(ulong flags, ulong start, ulong end, PageRegion* vector, int capacity) => new()
    {
        Size = (ulong)sizeof(PagemapScan),
        Flags = flags | CheckAsynchronous,
        Start = start,
        End = end,
        Vector = (ulong)vector,
        VectorLength = (ulong)capacity,
        CategoryMask = Written,
        ReturnMask = Written,
    };

    /// <summary>
    /// Protects everything and reports nothing. Without a mask it also covers stretches that have no page table yet; with one, those are
    /// left out, and one write makes all 511 neighbours look written (pagemap_scan_pte_hole, fs/proc/task_mmu.c).
    /// </summary>
    public static PagemapScan ForProtection(ulong start, ulong end) => new()
    {
        Size = (ulong)sizeof(PagemapScan),
        Flags = ProtectMatching | CheckAsynchronous,
        Start = start,
        End = end,
    };

    /// <summary>Runs the scan once. It stops early when the vector is full.</summary>
    /// <returns>Number of regions filled, or the error number negated.</returns>
    public int Run(SafeFileHandle pagemap)
    {
        fixed (PagemapScan* argument = &this)
        {
            int regions;
            do
            {
                regions = Libc.Control(pagemap, Request, argument);
            }
            while (regions < 0 && Marshal.GetLastPInvokeError() == Libc.ErrorInterrupted);
            return regions < 0 ? -Marshal.GetLastPInvokeError() : regions;
        }
    }
}
