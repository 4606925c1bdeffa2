using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>
/// Says of which VMs the lease has certainly ended, as plain code. It trusts no clock but its own, which must be one that nobody sets: a lease that has not been
/// renewed for as long as one lasts, and the margin, after it was first seen, had been granted before that.
/// </summary>
internal sealed class LeaseWatch(TimeSpan duration, TimeSpan margin)
{
    /// <summary>
    /// Who could not look for this long begins anew: when Postgres was away, owners that are well must have the time to renew before they lose what they run.
    /// </summary>
    public static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, (long Epoch, DateTimeOffset? Until, TimeSpan Since)> _seen = [];
    private TimeSpan _looked;

    /// <summary>What was seen now; returns what may be taken over, with how long that has been so.</summary>
    public IReadOnlyList<(LeaseSighting Lease, TimeSpan For)> Observe(IReadOnlyList<LeaseSighting> leases, TimeSpan now)
    {
        if (now - _looked > LongestGap) _seen.Clear();
        _looked = now;
        var due = new List<(LeaseSighting, TimeSpan)>();
        var present = new HashSet<string>();
        foreach (var lease in leases)
        {
            var info = lease.Vm.Info;
            present.Add(info.Name);
            if (!_seen.TryGetValue(info.Name, out var known) || known.Epoch != info.Epoch || known.Until != lease.LeaseUntil)
                _seen[info.Name] = known = (info.Epoch, lease.LeaseUntil, now);
            var patience = lease.IsLost ? TimeSpan.Zero : duration + margin;
            if (now - known.Since >= patience) due.Add((lease, now - known.Since - patience));
        }

        foreach (var gone in _seen.Keys.Where(name => !present.Contains(name)).ToList()) _seen.Remove(gone);
        return due;
    }
}
