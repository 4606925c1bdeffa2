using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Ownership;

public sealed class LeaseWatchTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly DateTimeOffset Until = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private readonly LeaseWatch _watch = new(Duration, Margin);

    [Fact]
    public void Observe_NotRenewedForDurationAndMargin_IsDueThenAndNotBefore()
    {
        Assert.Empty(See(0, Lease()));
        Assert.Empty(See(10, Lease()));
        Assert.Empty(See(19.9, Lease()));
        var (lease, since) = Assert.Single(See(21, Lease()));
        Assert.Equal("vm", lease.Vm.Info.Name);
        Assert.Equal(TimeSpan.FromSeconds(1), since);
    }

    // A database clock that is set forward makes every lease look ended; it is not by the watcher's own.
    [Fact]
    public void Observe_EndedByTheDatabaseClockWhenFirstSeen_IsNotDueYet() =>
        Assert.Empty(See(1000, Lease(until: DateTimeOffset.MinValue)));

    [Fact]
    public void Observe_Renewed_BeginsAnew()
    {
        See(0, Lease());
        See(8, Lease());
        foreach (var at in new[] { 15, 24, 33 }) Assert.Empty(See(at, Lease(until: Until.AddSeconds(15))));
        Assert.Single(See(35, Lease(until: Until.AddSeconds(15))));
    }

    [Fact]
    public void Observe_OtherEpoch_BeginsAnew()
    {
        foreach (var at in new[] { 0, 10, 18 }) See(at, Lease());
        Assert.Empty(See(21, Lease(epoch: 2)));
    }

    [Fact]
    public void Observe_GoneAndBack_BeginsAnew()
    {
        See(0, Lease());
        See(8);
        See(16, Lease());
        Assert.Empty(See(24, Lease()));
    }

    // Postgres was away, for the owner as well; it is back, and the owner must have the time to renew.
    [Fact]
    public void Observe_AfterALongGap_BeginsAnew()
    {
        See(0, Lease());
        Assert.Empty(See(60, Lease()));
        Assert.Empty(See(69, Lease()));
        Assert.Empty(See(78, Lease()));
        Assert.Single(See(80, Lease()));
    }

    [Fact]
    public void Observe_Lost_IsDueAtOnce() => Assert.Single(See(0, Lease(until: null, state: VmState.Lost)));

    private IReadOnlyList<(LeaseSighting Lease, TimeSpan For)> See(double seconds, params IReadOnlyList<LeaseSighting> leases) =>
        _watch.Observe(leases, TimeSpan.FromSeconds(seconds));

    private static LeaseSighting Lease(long epoch = 1) => Lease(Until, epoch);

    private static LeaseSighting Lease(DateTimeOffset? until, long epoch = 1, VmState state = VmState.Running) => new(Rows.Vm("vm", "host-a", epoch, state), until);
}
