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

    /// <summary>So many checkpoints of a guest that went on are kept count of.</summary>
    public const int MostCheckpoints = 3;

    private const string VisitPrefix = "visit/";

    public IReadOnlyList<string> Names { get; } = [.. before.Select(static known => known.Name)];

    /// <summary>Name of what a guest leaves behind when it moves away; the operation makes it unique even if VMs of one name come and go.</summary>
    public static string VisitName(PeerInstance source, string operation) => $"{VisitPrefix}{source.Vm}@{source.Epoch}/{operation}";

    /// <summary>What a checkpoint's RAM is called until the package that is made of it has a digest.</summary>
    public static string CheckpointName(string operation) => $"checkpoint/{operation}";

    /// <summary>
    /// Adds a base from which the guest differs in nothing: its own RAM at this moment, while it stands still after a complete scan. The tracker counts from here on.
    /// </summary>
    /// <param name="known">The bases so far, which are of no use afterwards; null if there were none.</param>
    /// <param name="tracker">What finds the guest's writes.</param>
    /// <param name="name">The base's name.</param>
    /// <param name="package">Name of the package the guest came from; never given up.</param>
    public static MemoryBases Adding(MemoryBases? known, DirtyTracker tracker, string name, string? package)
    {
        var all = known?.Snapshot() ?? [];
        tracker.Written.Clear();
        var tooMany = all.Count(IsCheckpoint) + 1 - MostCheckpoints;
        return new MemoryBases(
            tracker, [.. all.Where(one => !IsCheckpoint(one) || tooMany-- <= 0), new KnownBase(name, new PageSet((long)tracker.Mapping.Length))]);

        bool IsCheckpoint(KnownBase one) => !IsVisit(one.Name) && one.Name != package;
    }

    /// <summary>Calls a base something else.</summary>
    public MemoryBases Renaming(string name, string to) =>
        new(tracker, [.. before.Select(known => known.Name == name ? known with { Name = to } : known)]);

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
