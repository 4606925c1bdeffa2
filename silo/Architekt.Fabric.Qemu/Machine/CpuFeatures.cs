namespace Architekt.Fabric.Qemu;

/// <summary>
/// Compares what a guest has seen of its CPU with what a host has. A guest looks once and goes by it for good, so what it has seen must be there wherever it goes on, and what it has not seen is
/// better kept from it: it could not take that elsewhere.
/// </summary>
public static class CpuFeatures
{
    private const int MostNamed = 8;

    /// <summary>Features the guest has seen and the host lacks, in ordinal order. A guest of which nothing is known (an empty list) lacks nothing.</summary>
    /// <param name="seen">What the guest has seen, by QEMU's names.</param>
    /// <param name="host">What guests see on the host, by QEMU's names (<see cref="CpuFeatureProbe"/>).</param>
    public static IReadOnlyList<string> Missing(IReadOnlyCollection<string> seen, IReadOnlyCollection<string> host)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(host);
        return Subtract(seen, host);
    }

    /// <summary>Features the host has and the guest must go on without, in ordinal order (<see cref="QemuMachine.HiddenCpuFeatures"/>); none for a guest of which nothing is known.</summary>
    /// <param name="seen">What the guest has seen.</param>
    /// <param name="host">What guests see on the host.</param>
    public static IReadOnlyList<string> Unseen(IReadOnlyCollection<string> seen, IReadOnlyCollection<string> host)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(host);
        return seen.Count == 0 ? [] : Subtract(host, seen);
    }

    /// <summary>The end of a sentence, such as "the CPU features avx512f and avx512vl"; null if nothing is missing.</summary>
    /// <param name="missing">What is missing.</param>
    public static string? Describe(IReadOnlyList<string> missing)
    {
        ArgumentNullException.ThrowIfNull(missing);
        return missing.Count switch
        {
            0 => null,
            1 => $"the CPU feature {missing[0]}",
            <= MostNamed => $"the CPU features {string.Join(", ", missing.SkipLast(1))} and {missing[^1]}",
            _ => $"the CPU features {string.Join(", ", missing.Take(MostNamed))} and {missing.Count - MostNamed} more",
        };
    }

    private static string[] Subtract(IReadOnlyCollection<string> all, IReadOnlyCollection<string> without) =>
        [.. all.Except(without, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
