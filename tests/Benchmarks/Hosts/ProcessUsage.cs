using System.Globalization;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>What a process uses, from proc(5).</summary>
internal static class ProcessUsage
{
    // Fields 14 (utime) and 15 (stime) of /proc/PID/stat; the fields after the name begin with number 3.
    private const int UserTimeField = 14 - 3;
    private const int SystemTimeField = 15 - 3;

    /// <summary>CPU time in clock ticks, of which Linux counts 100 a second for user space.</summary>
    public static long CpuTicks(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[UserTimeField], CultureInfo.InvariantCulture) + long.Parse(fields[SystemTimeField], CultureInfo.InvariantCulture);
    }

    /// <summary>Resident memory in bytes (/proc/PID/smaps), without the mappings of one file.</summary>
    public static long ResidentBytesWithout(int pid, string file)
    {
        long kilobytes = 0;
        var isCounted = true;
        foreach (var line in File.ReadLines($"/proc/{pid}/smaps"))
        {
            if (IsMapping(line)) isCounted = !line.EndsWith(" " + file, StringComparison.Ordinal);
            else if (isCounted && line.StartsWith("Rss:", StringComparison.Ordinal))
                kilobytes += long.Parse(line.AsSpan(4, line.Length - 4 - 2).Trim(), CultureInfo.InvariantCulture);
        }
        return kilobytes * 1024;
    }

    // "55d0-55d9 r-xp ..." begins a mapping, "Rss:   12 kB" describes it.
    private static bool IsMapping(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && line[space - 1] != ':';
    }
}
