using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Qemu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Peer.Tests.Machine;

/// <summary>The right of a guest that somebody else has stopped. QEMU is real, the guest need not come up.</summary>
public sealed class GuestLeaseTests : IDisposable
{
    private static readonly TimeSpan Term = TimeSpan.FromSeconds(6);
    private readonly TestHost _host = new();
    private readonly List<string> _ends = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Extend_GuestIsHeld_StandsStillUntilItMayGoOn()
    {
        using var lease = new GuestLease(EndAsync, static () => true, static () => true, NullLogger.Instance);
        await lease.ExtendAsync(BootClock.Now + Term);
        await using var machine = await StartAsync(lease);

        await machine.HoldAsync(Token);
        await lease.ExtendAsync(BootClock.Now + (Term * 2));
        Assert.False(await RunsAsync(machine));

        // It runs out in the meantime, and is renewed: that alone is no reason to go on.
        await Deadline.UntilAsync(() => lease.IsStopped, "the lease has run out");
        await lease.ExtendAsync(BootClock.Now + (Term * 20));
        Assert.False(await RunsAsync(machine));

        await machine.GoOnAsync(TimeProvider.System);
        Assert.True(await RunsAsync(machine));
        Assert.False(lease.IsStopped);
        Assert.Empty(_ends);
    }

    [Fact]
    public async Task GoOn_LeaseHasRunOutMeanwhile_StandsStillUntilItIsRenewed()
    {
        using var lease = new GuestLease(EndAsync, static () => true, static () => true, NullLogger.Instance);
        await lease.ExtendAsync(BootClock.Now + Term);
        await using var machine = await StartAsync(lease);
        await machine.HoldAsync(Token);
        await Deadline.UntilAsync(() => lease.HasRunOut, "the lease has run out");

        await machine.GoOnAsync(TimeProvider.System);
        Assert.False(await RunsAsync(machine));

        await lease.ExtendAsync(BootClock.Now + (Term * 20));
        Assert.True(await RunsAsync(machine));
        Assert.Empty(_ends);
    }

    public void Dispose() => _host.Dispose();

    private async Task<VmMachine> StartAsync(GuestLease lease)
    {
        TestHost.RequireQemu();
        var support = DirtyTracking.Probe();
        Assert.SkipUnless(support.IsSupported, support.Reason ?? "");
        var (folder, instance) = await _host.CreateAsync(epoch: 2, TestHost.RequireGuest());
        var machine = await VmMachine.StartAsync(
            instance with { HasLease = true }, new PeerFolder(folder), support, MachineStart.Boot, from: null, lease, TimeProvider.System, NullLogger.Instance);
        await machine.RunAsync(async () =>
        {
            await machine.Qmp.ContinueAsync(Token);
            return true;
        });
        Assert.True(await RunsAsync(machine));
        return machine;
    }

    private static async Task<bool> RunsAsync(VmMachine machine) => (await machine.Qmp.QueryStatusAsync(Token)).Running;

    private Task EndAsync(string reason)
    {
        _ends.Add(reason);
        return Task.CompletedTask;
    }
}
