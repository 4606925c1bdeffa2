using System.Globalization;

namespace Architekt.Fabric.Qemu;

/// <summary>Frequency of this host's time stamp counter, which is also what a guest under TCG counts.</summary>
public static class HostTsc
{
    private const string CpuInfoPath = "/proc/cpuinfo";

    /// <summary>In kHz, or null on a host that does not tell.</summary>
    public static long? ReadKiloHertz() => File.Exists(CpuInfoPath) ? Parse(File.ReadLines(CpuInfoPath)) : null;

    /// <summary>
    /// On x86 the kernel does not measure BogoMIPS but derives it from the counter's frequency (<c>lpj_fine</c>, arch/x86/kernel/tsc.c): twice the MHz,
    /// two decimals. <c>cpu MHz</c> is the second choice: with frequency scaling it is what the core happens to run at.
    /// </summary>
    internal static long? Parse(IEnumerable<string> lines)
    {
        long? fromBogoMips = null, fromMegaHertz = null;
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !double.TryParse(line.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                || value <= 0)
                continue;
            var name = line.AsSpan(0, colon).Trim();
            if (name.SequenceEqual("bogomips")) fromBogoMips ??= (long)Math.Round(value * 500);
            else if (name.SequenceEqual("cpu MHz")) fromMegaHertz ??= (long)Math.Round(value * 1000);
        }
        return fromBogoMips ?? fromMegaHertz;
    }
}
