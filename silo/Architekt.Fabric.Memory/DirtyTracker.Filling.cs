using System.Runtime.InteropServices;
using Architekt.Fabric.Memory.Interop;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Memory;

public sealed partial class DirtyTracker
{
    /// <summary>
    /// Ends the serving of missing pages in a hole of the package, and goes on tracking it: from then on the kernel itself gives the guest zeros there, and no guest thread
    /// waits for this process. Whoever waits just now is woken. The guest runs meanwhile.
    /// </summary>
    /// <remarks>
    /// The kernel cannot take only one of two modes away (userfaultfd_register skips a mapping that has all that is asked for, fs/userfaultfd.c), so for a moment the range is not
    /// registered at all. A write of that moment cannot be told from an earlier one, so every page that exists there is marked as written; most are, and a page of zeros that was only
    /// read costs a migration little.
    /// </remarks>
    /// <param name="userfault">The userfaultfd of the process.</param>
    /// <param name="memory">The RAM, to see what exists.</param>
    /// <param name="range">Pages that the package has nothing for, and that nobody will bring from now on.</param>
    /// <exception cref="MemoryFillException">The kernel refused. Scans may find the RAM disarmed from then on, and say so.</exception>
    internal unsafe void StopServing(SafeFileHandle userfault, GuestMemory memory, PageRange range)
    {
        var start = _start + (ulong)range.Offset;
        var end = _start + (ulong)range.End;
        var unregister = new UserfaultRange { Start = start, Length = end - start };
        var register = new UserfaultRegister { Start = start, Length = end - start, Mode = Userfault.WriteProtect };
        lock (_lock)
        {
            // The kernel wakes waiting threads before it takes the range out, and a fault handled under the lock of its mapping alone may begin to wait in between (seen with 6.18).
            if (Libc.Control(userfault, Userfault.Unregister, &unregister) != 0 ||
                Libc.Control(userfault, Userfault.Wake, &unregister) != 0 ||
                Libc.Control(userfault, Userfault.Register, &register) != 0)
                throw Refused(range, Marshal.GetLastPInvokeError());
            var scan = PagemapScan.ForProtection(start, end);
            if (scan.Run(_pagemap) is < 0 and var error)
                throw Refused(range, -error);
            foreach (var made in memory.DataRangesWithin(range))
            {
                var unprotect = new UserfaultProtection { Start = _start + (ulong)made.Offset, Length = (ulong)made.Length };
                if (Libc.Control(userfault, Userfault.ChangeProtection, &unprotect) != 0)
                    throw Refused(range, Marshal.GetLastPInvokeError());
            }
        }
    }

    private static MemoryFillException Refused(PageRange range, int error) => error == Libc.ErrorNoSuchProcess
        ? new MemoryFillException(MemoryFillError.ProcessGone, "The guest's RAM can no longer be filled: its process is gone.")
        : new MemoryFillException(
            MemoryFillError.Refused,
            $"The {range.Length} bytes of guest RAM at {range.Offset}, which the package has nothing for, could not be given to the kernel: {Marshal.GetPInvokeErrorMessage(error)}. The guest cannot be moved live.");
}
