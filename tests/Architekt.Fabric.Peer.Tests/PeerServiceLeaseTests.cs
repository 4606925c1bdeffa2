using System.Globalization;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>A guest that may run only as long as its lease lasts. QEMU is real, the guest need not come up.</summary>
public sealed class PeerServiceLeaseTests : IDisposable
{
    private static readonly TimeSpan Term = TimeSpan.FromSeconds(6);
    private readonly TestHost _host = new();

    [Fact]
    public async Task Boot_WithoutLease_IsRefusedAndStartsNothing()
    {
        await using var peer = await CreateAsync();

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(2));

        Assert.Equal("'guest' has no lease, or it has run out: it may not run.", refusal.Message);
        Assert.Empty(peer.FilesLeft());
    }

    [Fact]
    public async Task Lease_OtherEpochOrNoneNeeded_IsRefused()
    {
        await using var peer = await CreateAsync();
        await using var plain = await TestPeer.CreateAsync(_host, epoch: 2, TestHost.RequireGuest());

        Assert.Equal("StaleEpoch", (await Assert.ThrowsAsync<PeerException>(() => peer.Service.ExtendLeaseAsync(new PeerLease(1, long.MaxValue / 2)))).Code);
        Assert.Equal("'guest' needs no lease.", (await Assert.ThrowsAsync<PeerException>(() => plain.Service.ExtendLeaseAsync(new PeerLease(2, 1)))).Message);
    }

    [Fact]
    public async Task Lease_RunsOut_GuestStandsStillUntilItIsRenewed()
    {
        await using var peer = await CreateAsync();
        var until = await ExtendAsync(peer, Term);
        await peer.Service.BootAsync(2);
        Assert.False(peer.Service.Status.IsLeaseOver);

        await Deadline.UntilAsync(() => peer.Service.Status.IsLeaseOver == true, "the guest stands still");
        Assert.InRange(BootClock.Now, until, until + LeaseTerm.Grace);
        await PassedAsync(until + LeaseTerm.Grace + TimeSpan.FromMilliseconds(500));
        Assert.True(peer.Qemu().IsAlive());
        Assert.Equal(0, await TicksAsync(peer.Qemu()));

        await ExtendAsync(peer, Term * 10);
        Assert.False(peer.Service.Status.IsLeaseOver);
        Assert.InRange(await TicksAsync(peer.Qemu()), 1, long.MaxValue);
    }

    [Fact]
    public async Task Lease_RenewedInTime_NobodyNotices()
    {
        await using var peer = await CreateAsync();
        var until = await ExtendAsync(peer, Term);
        await peer.Service.BootAsync(2);
        await ExtendAsync(peer, Term * 10);

        await PassedAsync(until + LeaseTerm.Grace + TimeSpan.FromMilliseconds(500));

        Assert.True(peer.Qemu().IsAlive());
        Assert.False(peer.Service.Status.IsLeaseOver);
    }

    [Fact]
    public async Task Lease_ThatCameLate_GivesNothing()
    {
        await using var peer = await CreateAsync();
        var until = await ExtendAsync(peer, Term);
        await peer.Service.BootAsync(2);

        // What was granted before comes after it, and what has ended since it was granted comes at all.
        await peer.Service.ExtendLeaseAsync(new PeerLease(2, (long)(until - TimeSpan.FromSeconds(1)).TotalMilliseconds));
        await Deadline.UntilAsync(() => peer.Service.Status.IsLeaseOver == true, "the guest stands still");
        await peer.Service.ExtendLeaseAsync(new PeerLease(2, (long)BootClock.Now.TotalMilliseconds));

        Assert.True(peer.Service.Status.IsLeaseOver);
    }

    [Fact]
    public async Task QemuStopped_UntilItsLeaseIsOver_IsKilledBeforeItRunsAgain()
    {
        await using var peer = await CreateAsync();
        var until = await ExtendAsync(peer, Term);
        await peer.Service.BootAsync(2);
        var qemu = peer.Qemu();
        Assert.True(qemu.Kill(ProcessSignal.Stop));

        // Nobody lets it run again: that it ends nevertheless, and by itself, is the point.
        var exit = await peer.WaitForExitAsync();

        Assert.Equal(PeerExitKind.Crashed, exit.Kind);
        Assert.Contains("its lease ran out", exit.Reason, StringComparison.Ordinal);
        Assert.False(qemu.IsAlive());
        Assert.InRange(BootClock.Now, until, until + LeaseTerm.Grace + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task PeerStopped_UntilTheLeaseIsOver_QemuIsKilledWithoutIt()
    {
        await using var peer = await PeerProcess.StartAsync(_host, TestHost.RequireGuest());
        var until = BootClock.Now + Term;
        await peer.PostAsync("lease", new PeerLease(2, (long)until.TotalMilliseconds), PeerJson.Default.PeerLease);
        await peer.PostAsync("boot", new PeerGrant(2), PeerJson.Default.PeerGrant);
        var qemu = peer.Qemu();
        Assert.True(peer.Process.Kill(ProcessSignal.Stop));

        await Deadline.UntilAsync(() => !qemu.IsAlive(), "QEMU is gone");
        Assert.InRange(BootClock.Now, until, until + LeaseTerm.Grace + TimeSpan.FromSeconds(1));

        Assert.True(peer.Process.Kill(ProcessSignal.Continue));
        Assert.Contains("its lease ran out", (await peer.WaitForExitAsync()).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PeerKilled_QemuEndsWithItsLease()
    {
        await using var peer = await PeerProcess.StartAsync(_host, TestHost.RequireGuest());
        var until = BootClock.Now + Term;
        await peer.PostAsync("lease", new PeerLease(2, (long)until.TotalMilliseconds), PeerJson.Default.PeerLease);
        await peer.PostAsync("boot", new PeerGrant(2), PeerJson.Default.PeerGrant);
        var qemu = peer.Qemu();
        Assert.True(peer.Process.Kill(ProcessSignal.Kill));

        await Deadline.UntilAsync(() => !qemu.IsAlive(), "QEMU is gone");
        Assert.InRange(BootClock.Now, until, until + LeaseTerm.Grace + TimeSpan.FromSeconds(1));
    }

    public void Dispose() => _host.Dispose();

    private Task<TestPeer> CreateAsync()
    {
        TestHost.RequireQemu();
        var support = DirtyTracking.Probe();
        Assert.SkipUnless(support.IsSupported, support.Reason ?? "");
        return TestPeer.CreateAsync(_host, epoch: 2, TestHost.RequireGuest(), change: static instance => instance with { HasLease = true });
    }

    private static async Task<TimeSpan> ExtendAsync(TestPeer peer, TimeSpan term)
    {
        var until = TimeSpan.FromMilliseconds(Math.Floor((BootClock.Now + term).TotalMilliseconds));
        await peer.Service.ExtendLeaseAsync(new PeerLease(2, (long)until.TotalMilliseconds));
        return until;
    }

    private static Task PassedAsync(TimeSpan time) => Deadline.UntilAsync(() => BootClock.Now > time, "time passes", 60);

    /// <summary>Processor time that QEMU takes within a second, in clock ticks (proc(5), stat). A guest that boots takes all it gets.</summary>
    private static async Task<long> TicksAsync(ProcessIdentity process)
    {
        var before = Read();
        await PassedAsync(BootClock.Now + TimeSpan.FromSeconds(1));
        return Read() - before <= 2 ? 0 : Read() - before;

        long Read()
        {
            var fields = File.ReadAllText($"/proc/{process.Pid}/stat");
            var numbers = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(numbers[11], CultureInfo.InvariantCulture) + long.Parse(numbers[12], CultureInfo.InvariantCulture);
        }
    }
}
