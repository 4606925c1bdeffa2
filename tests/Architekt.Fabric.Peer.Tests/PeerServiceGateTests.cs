using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>Who may let the guest run, and when. QEMU is real, the guest need not come up.</summary>
public sealed class PeerServiceGateTests : IDisposable
{
    private readonly TestHost _host = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Boot_OtherEpoch_IsStaleAndStartsNothing(long epoch)
    {
        await using var peer = await CreateAsync();

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(epoch));

        Assert.Equal("StaleEpoch", refusal.Code);
        Assert.Equal($"Epoch {epoch} was asked for, but this instance may run under epoch 2 only.", refusal.Message);
        Assert.Equal(PeerState.Idle, peer.Service.Status.State);
        Assert.Empty(peer.FilesLeft());
    }

    [Fact]
    public async Task Boot_OwnEpoch_IsWrittenDownAsGranted()
    {
        await using var peer = await CreateAsync();

        var status = await peer.Service.BootAsync(2);
        var again = await peer.Service.BootAsync(2);

        Assert.Equal(PeerState.Running, status.State);
        Assert.Equal(2, peer.ReadIdentity().GrantedEpoch);
        Assert.True(peer.Qemu().IsAlive());
        Assert.Equal(status with { ResidentBytes = 0 }, again with { ResidentBytes = 0 });
    }

    [Fact]
    public async Task Run_NothingLoaded_IsRefusedAndNotGranted()
    {
        await using var peer = await CreateAsync();
        await peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true));

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.RunAsync(2));
        var stale = await Assert.ThrowsAsync<PeerException>(() => peer.Service.RunAsync(1));

        Assert.Equal("Conflict", refusal.Code);
        Assert.Contains("its device state is not loaded", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("StaleEpoch", stale.Code);
        Assert.Equal(0, peer.ReadIdentity().GrantedEpoch);
        Assert.Equal(PeerState.Incoming, peer.Service.Status.State);
    }

    [Fact]
    public async Task Run_StartedHereUnderTheSameEpochSince_IsAnsweredAndLetsNothingGoOn()
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);
        var qemu = peer.Qemu();

        var late = await peer.Service.RunAsync(2);
        await peer.Service.PauseAsync(2);
        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.RunAsync(2));

        Assert.Equal(0, late.RunMs);
        Assert.Equal(qemu, peer.Qemu());
        Assert.Equal("Conflict", refusal.Code);
        Assert.Equal(PeerState.Paused, peer.Service.Status.State);
    }

    [Fact]
    public async Task Receive_SameOperationTwice_GivesTheSameOffer()
    {
        await using var peer = await CreateAsync();

        var first = await peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true));
        var second = await peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true));
        var other = await Assert.ThrowsAsync<PeerException>(() => peer.Service.ReceiveAsync(new PeerIncoming("other", Verify: false, IsLive: true)));

        Assert.Same(first, second);
        Assert.Equal("'guest' is Incoming, not Idle.", other.Message);
    }

    [Fact]
    public async Task Run_Discarded_IsRefused()
    {
        await using var peer = await CreateAsync();
        await peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true));
        var qemu = peer.Qemu();

        var discarded = await peer.Service.DiscardAsync("op");
        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.RunAsync(2));

        Assert.Equal(PeerState.Ended, discarded.State);
        Assert.Equal("'guest' has ended.", refusal.Message);
        Assert.False(qemu.IsAlive());
        Assert.Equal(PeerExitKind.Discarded, (await peer.WaitForExitAsync()).Kind);
        Assert.DoesNotContain(PeerApi.MemoryFile, peer.FilesLeft());
    }

    [Fact]
    public async Task Discard_PreparedForAnotherMigration_IsRefusedAndStaysPrepared()
    {
        await using var peer = await CreateAsync();
        var offer = await peer.Service.ReceiveAsync(new PeerIncoming("second", Verify: false, IsLive: true));

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.DiscardAsync("first"));

        Assert.Equal("'guest' was prepared on 'host-a' for migration second, not for first.", refusal.Message);
        Assert.Equal(PeerState.Incoming, peer.Service.Status.State);
        Assert.Same(offer, await peer.Service.ReceiveAsync(new PeerIncoming("second", Verify: false, IsLive: true)));
    }

    [Fact]
    public async Task Discard_Granted_IsRefusedAndTheGuestRunsOn()
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.DiscardAsync("op"));

        Assert.Equal("'guest' was granted to 'host-a' and is not discarded.", refusal.Message);
        Assert.Equal(PeerState.Running, peer.Service.Status.State);
        Assert.True(peer.Qemu().IsAlive());
    }

    [Fact]
    public async Task Switch_UnknownOperation_IsRefused()
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);

        foreach (var call in new Func<Task>[]
        {
            () => peer.Service.SuspendAsync("none"),
            () => peer.Service.SwitchAsync(new PeerStep("none")),
            () => peer.Service.ReleaseAsync(new PeerStep("none")),
        })
        {
            var refusal = await Assert.ThrowsAsync<PeerException>(call);
            Assert.Equal("No migration none away from 'host-a' is under way.", refusal.Message);
        }

        Assert.Equal(PeerState.Running, (await peer.Service.RollBackAsync("none")).State);
    }

    [Fact]
    public async Task Stop_Forced_EndsQemuAndRefusesEverythingAfter()
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);
        var qemu = peer.Qemu();

        await Assert.ThrowsAsync<PeerException>(() => peer.Service.StopAsync(1, force: true));
        Assert.True(qemu.IsAlive());
        var stopped = await peer.Service.StopAsync(2, force: true);

        Assert.Equal(PeerState.Ended, stopped.State);
        Assert.False(qemu.IsAlive());
        Assert.Equal(new PeerExit(2, PeerExitKind.Killed, "it was ended on request"), await peer.WaitForExitAsync());
        foreach (var call in new Func<Task>[]
        {
            () => peer.Service.BootAsync(2),
            () => peer.Service.PauseAsync(2),
            () => peer.Service.ReceiveAsync(new PeerIncoming("op", Verify: false, IsLive: true)),
            () => peer.Service.RollBackAsync("op"),
        })
        {
            Assert.Equal("'guest' has ended.", (await Assert.ThrowsAsync<PeerException>(call)).Message);
        }
    }

    [Fact]
    public async Task Pause_Running_StopsAndResumeGoesOn()
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);

        Assert.Equal(PeerState.Paused, (await peer.Service.PauseAsync(2)).State);
        Assert.Equal("'guest' is Paused, not Running.", (await Assert.ThrowsAsync<PeerException>(() => peer.Service.PauseAsync(2))).Message);
        Assert.Equal(PeerState.Running, (await peer.Service.ResumeAsync(2)).State);
    }

    [Fact]
    public async Task Copy_KernelCannotTrackWrites_IsRefusedWithTheReason()
    {
        await using var peer = await CreateAsync(new NoTracking());
        await peer.Service.BootAsync(2);

        var refusal = await Assert.ThrowsAsync<PeerException>(
            () => peer.Service.CopyAsync(MigratingGuest.CopyTo(new PeerOffer("127.0.0.1", 1, "m", "s", 0, ""), "op")));

        Assert.Equal("Refused", refusal.Code);
        Assert.Equal(NoTracking.Reason, refusal.Message);
        Assert.Equal(PeerState.Running, peer.Service.Status.State);
        Assert.Null(peer.Service.Status.Operation);
    }

    [Theory]
    [InlineData(ProcessSignal.Kill)]
    [InlineData(ProcessSignal.Terminate)]
    public async Task QemuEnded_FromOutside_IsACrashWithAReason(ProcessSignal signal)
    {
        await using var peer = await CreateAsync();
        await peer.Service.BootAsync(2);

        Assert.True(peer.Qemu().Kill(signal));

        var exit = await peer.WaitForExitAsync();
        Assert.Equal(PeerExitKind.Crashed, exit.Kind);
        Assert.StartsWith("QEMU ended with code ", exit.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(PeerApi.MemoryFile, peer.FilesLeft());
        await Deadline.UntilAsync(() => peer.Service.Status.State == PeerState.Ended, "the peer has ended");
    }

    [Fact]
    public async Task Boot_FeaturesAreToBeHidden_GuestsCpuIsWithoutThem()
    {
        await using var peer = await CreateAsync(change: static instance => instance with { HiddenCpuFeatures = ["avx2", "sse4.2"] });

        await peer.Service.BootAsync(2);

        var arguments = (await File.ReadAllTextAsync($"/proc/{peer.Qemu().Pid}/cmdline", TestContext.Current.CancellationToken)).Split('\0');
        Assert.Equal("max,avx2=off,sse4.2=off", arguments[Array.IndexOf(arguments, "-cpu") + 1]);
    }

    [Fact]
    public async Task Boot_QemuRefusesToStart_SaysWhyAndLeavesNoMemory()
    {
        await using var peer = await CreateAsync(change: static instance => instance with { CpuModel = "no-such-cpu" });

        var failure = await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(2));

        Assert.Equal("Failed", failure.Code);
        Assert.StartsWith("'guest' could not be started on 'host-a': ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no-such-cpu", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(PeerApi.MemoryFile, peer.FilesLeft());
        Assert.Equal(0, peer.Service.Status.GrantedEpoch);
    }

    public void Dispose() => _host.Dispose();

    private async Task<TestPeer> CreateAsync(IDirtyTrackingProbe? tracking = null, Func<PeerInstance, PeerInstance>? change = null)
    {
        var guest = TestHost.RequireGuest();
        TestHost.RequireQemu();
        return await TestPeer.CreateAsync(_host, 2, guest, tracking, change);
    }

    private sealed class NoTracking : IDirtyTrackingProbe
    {
        public const string Reason = "This host cannot track guest writes: its kernel is too old.";

        public DirtyTrackingSupport Probe() => new(Reason);
    }
}
