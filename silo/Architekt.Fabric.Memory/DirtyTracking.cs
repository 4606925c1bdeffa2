using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

/// <summary>Asks the kernel whether guest writes can be tracked, by doing it to two pages of shared memory of this process.</summary>
public sealed class DirtyTracking : IDirtyTrackingProbe
{
    private const string Alternative = "VMs on it can be moved with a pause (suspend, copy, resume), not live.";

    /// <summary>The probe that asks the kernel.</summary>
    public static IDirtyTrackingProbe Kernel { get; } = new DirtyTracking();

    /// <summary>Asks the kernel; takes well under a millisecond and leaves nothing behind.</summary>
    public static DirtyTrackingSupport Probe() => Run();

    DirtyTrackingSupport IDirtyTrackingProbe.Probe() => Run();

    private static unsafe DirtyTrackingSupport Run()
    {
        const int length = 2 * GuestMemory.PageSize;
        const uint closeOnExec = 1; // MFD_CLOEXEC
        using var file = Libc.CreateMemoryFile("architekt-probe", closeOnExec);
        if (file.IsInvalid || Libc.Truncate(file, length) != 0)
            return No($"no shared memory could be made to test with ({Libc.LastError()}); check the limits of this process");
        using var region = MappedRegion.Map(file, length, "the probe's memory");
        using var userfault = OpenUserfault();
        if (userfault.IsInvalid)
            return No($"userfaultfd is not to be had ({Libc.LastError()}); a kernel with CONFIG_USERFAULTFD is needed, and access to {UserfaultDevice.DevicePath} or the userfaultfd system call");
        var api = new UserfaultApi { Version = Userfault.ApiVersion, Features = Userfault.Features };
        if (Libc.Control(userfault, Userfault.Api, &api) != 0)
            return No("its kernel has no asynchronous write protection for shared memory; boot Linux 6.7 or newer");
        var address = (byte*)region.DangerousGetHandle();
        var range = new UserfaultRegister { Start = (ulong)address, Length = length, Mode = Userfault.WriteProtect };
        if (Libc.Control(userfault, Userfault.Register, &range) != 0)
            return No($"shared memory could not be registered with userfaultfd ({Libc.LastError()}); boot a kernel with CONFIG_PTE_MARKER_UFFD_WP");
        return FindsWrittenPage(address, length)
            ? DirtyTrackingSupport.Supported
            : No("PAGEMAP_SCAN on /proc/self/pagemap did not report a written page; boot Linux 6.7 or newer with CONFIG_PROC_PAGE_MONITOR, and mount /proc");
    }

    private static unsafe bool FindsWrittenPage(byte* address, int length)
    {
        using var pagemap = Libc.Open("/proc/self/pagemap", Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        if (pagemap.IsInvalid)
            return false;
        var (start, end) = ((ulong)address, (ulong)address + (ulong)length);
        var protect = PagemapScan.ForProtection(start, end);
        if (protect.Run(pagemap) < 0)
            return false;
        Volatile.Write(ref address[GuestMemory.PageSize], 1);
        PageRegion found;
        var scan = PagemapScan.ForWritten(PagemapScan.ProtectMatching, start, end, &found, 1);
        if (scan.Run(pagemap) != 1 || found.Start != start + GuestMemory.PageSize || found.End != end)
            return false;
        scan = PagemapScan.ForWritten(PagemapScan.ProtectMatching, start, end, &found, 1);
        return scan.Run(pagemap) == 0;
    }

    private static unsafe SafeFileHandle OpenUserfault()
    {
        const int flags = Libc.OpenCloseOnExec | Libc.OpenNonBlocking;
        using var device = Libc.Open(UserfaultDevice.DevicePath, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (!device.IsInvalid && Libc.Control(device, Userfault.New, (void*)flags) is >= 0 and var created)
            return new SafeFileHandle(created, ownsHandle: true);
        long number = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 282 : 323; // userfaultfd(2)
        return Libc.CreateUserfault(number, flags | Userfault.UserModeOnly);
    }

    private static DirtyTrackingSupport No(string reason) => new($"This host cannot track guest writes: {reason}. {Alternative}");
}
