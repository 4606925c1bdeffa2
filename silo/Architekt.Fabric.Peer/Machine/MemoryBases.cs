using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>
/// Which pages of a guest differ from RAM that other hosts may have: that of its package, those it left behind where it ran before. One tracker serves them all: to what differed from
/// a base when the tracker began, all that was written since is added.
/// </summary>
/// <param name="tracker">Has been at work since the guest came here.</param>
/// <param name="before">What differed then, by the base's name; the oldest first.</param>
internal sealed class MemoryBases(DirtyTracker tracker, IReadOnlyList<KnownBase> before)
{
    /// <summary>So many hosts' memories of earlier visits are kept count of: a set takes 32 KiB for each GiB of RAM, and an old visit is of little use.</summary>
    public const int MostVisits = 3;

    private const string VisitPrefix = "visit/";

    public IReadOnlyList<string> Names { get; } = [.. before.Select(static known => known.Name)];

    /// <summary>Name of what a guest leaves behind when it moves away; the operation makes it unique even if VMs of one name come and go.</summary>
    public static string VisitName(PeerInstance source, string operation) => $"{VisitPrefix}{source.Vm}@{source.Epoch}/{operation}";

    /// <summary>What differs from a base, as far as the tracker has looked; null for one that is not known.</summary>
    public PageSet? Differing(string name)
    {
        if (before.FirstOrDefault(known => known.Name == name) is not { } found) return null;
        var differing = found.Differing.Clone();
        differing.UnionWith(tracker.Written);
        return differing;
    }

    /// <summary>What a destination has to know of the guest's bases: all as it is now, and that its RAM differs in nothing from what it leaves behind here.</summary>
    public static IReadOnlyList<KnownBase> Leaving(MemoryBases? known, string visit, long length)
    {
        var all = known?.Snapshot() ?? [];
        var tooMany = all.Count(static one => IsVisit(one.Name)) + 1 - MostVisits;
        return [.. all.Where(one => !IsVisit(one.Name) || tooMany-- <= 0), new KnownBase(visit, new PageSet(length))];
    }

    private KnownBase[] Snapshot() => [.. before.Select(known => new KnownBase(known.Name, Differing(known.Name)!))];

    private static bool IsVisit(string name) => name.StartsWith(VisitPrefix, StringComparison.Ordinal);
}
