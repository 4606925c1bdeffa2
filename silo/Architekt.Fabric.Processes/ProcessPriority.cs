using System.Globalization;
using Architekt.Fabric.Processes.Interop;

namespace Architekt.Fabric.Processes;

/// <summary>The share of the processors a process gets beside others: its nice value, -20 (most) to 19 (least), 0 by default (sched(7)).</summary>
public static class ProcessPriority
{
    /// <summary>Sets the nice value of all threads a process has; those it starts later, and its children, inherit it from their creator.</summary>
    /// <param name="pid">Process id.</param>
    /// <param name="nice">-20 to 19; below the present one only with CAP_SYS_NICE.</param>
    /// <returns>False when the system refuses or there is no such process; then some threads may have been changed.</returns>
    public static bool TrySet(int pid, int nice)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nice, -20);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(nice, 19);
        try
        {
            var isSet = true;

            // Linux keeps the value per thread, whatever POSIX says (setpriority(2), "C library/kernel differences").
            foreach (var task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
                isSet &= NativeMethods.SetPriority(NativeMethods.PriorityOfProcess, int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), nice) == 0;
            return isSet;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
