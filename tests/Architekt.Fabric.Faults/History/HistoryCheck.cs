namespace Architekt.Fabric.Faults.History;

/// <summary>Says what in a history must not be.</summary>
internal static class HistoryCheck
{
    /// <summary>The breaches of "one owner": two copies at once, a copy that ran before it was the owner or after it no longer was, an epoch that did not grow.</summary>
    public static IReadOnlyList<string> Find(IReadOnlyList<RunInterval> runs, IReadOnlyList<Ownership> owners) =>
        [.. FindOverlaps(runs), .. FindUnowned(runs, owners), .. FindEpochs(owners)];

    private static IEnumerable<string> FindOverlaps(IReadOnlyList<RunInterval> runs)
    {
        foreach (var vm in runs.OrderBy(static run => run.From).GroupBy(static run => run.Vm))
        {
            // Each with all before it, and not only with its neighbour: one that never ends overlaps everything.
            var before = new List<RunInterval>();
            foreach (var run in vm)
            {
                foreach (var other in before.Where(other => other.To is not { } end || end > run.From))
                    yield return $"two copies ran at once: {other}, and {run}";
                before.Add(run);
            }
        }
    }

    private static IEnumerable<string> FindUnowned(IReadOnlyList<RunInterval> runs, IReadOnlyList<Ownership> owners)
    {
        foreach (var run in runs)
        {
            var own = owners.Where(owner => owner.Vm == run.Vm && owner.Epoch == run.Epoch).MinBy(static owner => owner.Since);
            if (own is null || own.Host != run.Host) yield return $"a copy ran that never was the owner: {run}";
            else if (run.From < own.Since) yield return $"a copy ran before it was the owner ({own.Since:HH:mm:ss.ffffff}): {run}";
            var next = owners.Where(owner => owner.Vm == run.Vm && owner.Epoch > run.Epoch).MinBy(static owner => owner.Since);
            if (next is not null && (run.To is not { } end || end > next.Since))
                yield return $"a copy ran on after {next.Host} had become the owner ({next.Since:HH:mm:ss.ffffff}): {run}";
        }
    }

    private static IEnumerable<string> FindEpochs(IReadOnlyList<Ownership> owners)
    {
        foreach (var vm in owners.GroupBy(static owner => owner.Vm))
        {
            foreach (var (before, after) in vm.Zip(vm.Skip(1)))
            {
                if (after.Epoch < before.Epoch || (after.Epoch == before.Epoch && after.Host != before.Host))
                    yield return $"the epoch of '{vm.Key}' did not grow: {before.Epoch} on {before.Host}, then {after.Epoch} on {after.Host}";
            }
        }
    }
}
