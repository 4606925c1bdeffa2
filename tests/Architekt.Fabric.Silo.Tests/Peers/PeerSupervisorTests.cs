using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Tests.Peers;

/// <summary>Supervision of real processes; the peer is <see cref="FakePeer"/>.</summary>
public sealed class PeerSupervisorTests : IAsyncDisposable
{
    private const int Seconds = 60;
    private readonly TestHost _host = new();
    private readonly RecordingVmStore _vms = new(currentEpoch: 3);
    private readonly List<PeerSupervisor> _supervisors = [];

    [Fact]
    public async Task Start_Answers_IsFoundAndRequired()
    {
        var supervisor = Supervisor();

        var peer = await StartAsync(supervisor);

        Assert.Same(peer, supervisor.Find("redis", 3));
        Assert.Same(peer, supervisor.Require("redis", 3));
        Assert.Equal(FabricErrorCode.StaleEpoch, Assert.Throws<FabricException>(() => supervisor.Require("redis", 2)).Code);
        Assert.Equal(FabricErrorCode.NotFound, Assert.Throws<FabricException>(() => supervisor.Require("other", 3)).Code);
        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => StartAsync(supervisor))).Code);
        Assert.True(peer.Process.IsAlive());
    }

    [Fact]
    public async Task Start_PeerDies_SaysItsLastWordsAndLeavesNothing()
    {
        var supervisor = Supervisor();

        var error = await Assert.ThrowsAsync<FabricException>(() => StartAsync(supervisor, FakePeer.Dies));

        Assert.Equal(FabricErrorCode.Failed, error.Code);
        Assert.StartsWith("The peer of 'redis' did not start on 'host-a': ", error.Message, StringComparison.Ordinal);
        Assert.Contains(FakePeer.LastWords, error.Message, StringComparison.Ordinal);
        Assert.Null(supervisor.Find("redis", 3));
        Assert.False(Directory.Exists(_host["redis.3"]));
    }

    [Fact]
    public async Task Start_NoSuchPeer_SaysSoAndLeavesNothing()
    {
        var supervisor = Supervisor(peerPath: _host["no-peer"]);

        var error = await Assert.ThrowsAsync<FabricException>(() => StartAsync(supervisor));

        Assert.Contains("no-peer", error.Message, StringComparison.Ordinal);
        Assert.Empty(InstanceFolder.All(_host.Path, FabricNames.IsValid));
        Assert.Empty(supervisor.Peers);
    }

    [Fact]
    public async Task Start_Cancelled_LeavesNothing()
    {
        var supervisor = Supervisor();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => supervisor.StartAsync(_host.Instance(), keepsDisk: false, new CancellationToken(canceled: true)));

        Assert.Empty(InstanceFolder.All(_host.Path, FabricNames.IsValid));
        Assert.Empty(supervisor.Peers);
    }

    [Fact]
    public async Task Peer_Crashes_FailureIsRecordedForItsEpochAndItsQemuIsGone()
    {
        var peer = await StartAsync(Supervisor());
        var qemu = Qemu(peer);
        await File.WriteAllTextAsync(peer.Instance.OverlayDiskPath!, "disk", TestContext.Current.CancellationToken);

        Assert.True(peer.Process.Kill(ProcessSignal.Kill));
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        var (vm, epoch, state, reason) = Assert.Single(_vms.Recorded);
        Assert.Equal(("redis", 3, VmState.Failed), (vm, epoch, state));
        Assert.StartsWith("its peer ended unexpectedly: ", reason, StringComparison.Ordinal);
        Assert.False(qemu.IsAlive());
        Assert.False(Directory.Exists(peer.Folder.Path));
        Assert.True(File.Exists(peer.Instance.OverlayDiskPath));
    }

    [Fact]
    public async Task Peer_EpochIsNoLongerTheVms_NothingIsRecorded()
    {
        var peer = await StartAsync(Supervisor(), epoch: 2);

        peer.Process.Kill(ProcessSignal.Kill);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.Empty(_vms.Recorded);
        Assert.Equal([2L], _vms.Refused);
    }

    /// <summary>The epoch was reserved for this host, given back, and became another host's.</summary>
    [Fact]
    public async Task Peer_OtherHostOwnsTheVmWithTheSameEpoch_NothingIsRecorded()
    {
        var peer = await StartAsync(Supervisor());
        _vms.Owner = "host-b";

        peer.Process.Kill(ProcessSignal.Kill);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.Empty(_vms.Recorded);
        Assert.False(Directory.Exists(peer.Folder.Path));
    }

    [Fact]
    public async Task Peer_ShutsDown_StopIsRecordedEvenWhenPostgresWasAway()
    {
        var peer = await StartAsync(Supervisor());
        _vms.Outages = 1;

        await peer.Client.StopAsync(3, force: false, TestContext.Current.CancellationToken);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.Equal([("redis", 3L, VmState.Stopped, "as asked")], _vms.Recorded);
    }

    [Fact]
    public async Task Peer_Suspended_IsRecordedAsStoppedAndKeepsItsDisk()
    {
        var peer = await StartAsync(Supervisor());
        await File.WriteAllTextAsync(peer.Instance.OverlayDiskPath!, "disk", TestContext.Current.CancellationToken);

        await peer.Client.CheckpointAsync(new PeerCheckpoint(3, "op", _host.Path, KeepRunning: false), TestContext.Current.CancellationToken);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.Equal([("redis", 3L, VmState.Stopped, "as asked")], _vms.Recorded);
        Assert.True(File.Exists(peer.Instance.OverlayDiskPath));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Peer_CouldNotStart_KeepsTheDiskOnlyIfItWasThereBefore(bool keepsDisk)
    {
        var peer = await Supervisor().StartAsync(
            _host.Instance() with { KernelCommandLine = FakePeer.Answers }, keepsDisk, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(peer.Instance.OverlayDiskPath!, "disk", TestContext.Current.CancellationToken);

        await peer.Client.BootAsync(3, TestContext.Current.CancellationToken);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.Equal(keepsDisk, File.Exists(peer.Instance.OverlayDiskPath));
        Assert.Empty(_vms.Recorded);
    }

    [Fact]
    public async Task Peer_Released_DiskAndLogAreRemovedAndNothingIsRecorded()
    {
        var peer = await StartAsync(Supervisor());
        await File.WriteAllTextAsync(peer.Instance.OverlayDiskPath!, "disk", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(peer.Instance.ConsoleLogPath, "log", TestContext.Current.CancellationToken);

        // The fake answers with a status, which is no PeerReleased but JSON all the same.
        await peer.Client.ReleaseAsync(new PeerStep("op"), TestContext.Current.CancellationToken);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));

        Assert.False(File.Exists(peer.Instance.OverlayDiskPath));
        Assert.False(File.Exists(peer.Instance.ConsoleLogPath));
        Assert.Empty(_vms.Recorded);
    }

    [Fact]
    public async Task Adopt_AfterARestart_FindsTheRunningPeerAndWatchesIt()
    {
        var former = Supervisor();
        var started = await StartAsync(former);
        former.Dispose();
        Assert.True(started.Process.IsAlive());
        var supervisor = Supervisor();

        await supervisor.AdoptAsync(TestContext.Current.CancellationToken);
        await supervisor.AdoptAsync(TestContext.Current.CancellationToken);

        var peer = Assert.Single(supervisor.Peers);
        Assert.Equal((started.Process, started.Instance), (peer.Process, peer.Instance));
        await File.WriteAllTextAsync(Path.Combine(peer.Folder.Path, FakePeer.LiveFile), "", TestContext.Current.CancellationToken);
        await Deadline.UntilAsync(() => _vms.Recorded.Any(static entry => entry.State == VmState.Running), "that the guest is up is recorded", Seconds);
        peer.Process.Kill(ProcessSignal.Kill);
        await peer.Ended.WaitAsync(Deadline.After(Seconds));
        Assert.Equal(VmState.Failed, _vms.Recorded[^1].State);
    }

    [Fact]
    public async Task Adopt_EndedMeanwhile_IsRecordedAndClearedUp()
    {
        var former = Supervisor();
        var started = await StartAsync(former);
        var qemu = Qemu(started);
        former.Dispose();
        started.Process.Kill(ProcessSignal.Kill);
        await started.Process.WaitForExitAsync(TimeSpan.FromSeconds(Seconds), TestContext.Current.CancellationToken);

        await Supervisor().AdoptAsync(TestContext.Current.CancellationToken);

        await Deadline.UntilAsync(() => !Directory.Exists(started.Folder.Path), "the folder is cleared", Seconds);
        Assert.Equal(VmState.Failed, Assert.Single(_vms.Recorded).State);
        Assert.False(qemu.IsAlive());
    }

    [Fact]
    public async Task Adopt_PeerDoesNotAnswer_IsWatchedAllTheSameAndTheOthersAreFound()
    {
        var former = Supervisor();
        var deaf = await StartAsync(former);
        await StartAsync(former, vm: "other");
        File.Delete(Path.Combine(deaf.Folder.Path, PeerApi.SocketName));
        former.Dispose();
        var supervisor = Supervisor();

        await supervisor.AdoptAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, supervisor.Peers.Count);
        var adopted = supervisor.Require("redis", 3);
        adopted.Process.Kill(ProcessSignal.Kill);
        await adopted.Ended.WaitAsync(Deadline.After(Seconds));
    }

    [Fact]
    public async Task Adopt_UnreadableInstance_IsRemoved()
    {
        Directory.CreateDirectory(_host["redis.1"]);
        await File.WriteAllTextAsync(Path.Combine(_host["redis.1"], PeerApi.InstanceFile), "{", TestContext.Current.CancellationToken);
        var supervisor = Supervisor();

        await supervisor.AdoptAsync(TestContext.Current.CancellationToken);

        Assert.Empty(supervisor.Peers);
        Assert.False(Directory.Exists(_host["redis.1"]));
    }

    [Fact]
    public async Task Adopt_WhileAPeerIsStarted_LeavesItAlone()
    {
        var supervisor = Supervisor();
        var starting = StartAsync(supervisor);
        while (!starting.IsCompleted) await supervisor.AdoptAsync(TestContext.Current.CancellationToken);

        var peer = await starting;

        Assert.Same(peer, Assert.Single(supervisor.Peers));
        Assert.True(peer.Process.IsAlive());
        Assert.True(Directory.Exists(peer.Folder.Path));
        Assert.Empty(_vms.Recorded);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var supervisor in _supervisors) supervisor.Dispose();
        foreach (var folder in InstanceFolder.All(_host.Path, FabricNames.IsValid))
        {
            if (folder.ReadIdentity() is not { } identity) continue;
            foreach (var process in new[] { new ProcessIdentity(identity.PeerPid, identity.PeerStartTicks), new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks) })
            {
                process.Kill(ProcessSignal.Kill);
                await process.WaitForExitAsync(TimeSpan.FromSeconds(Seconds), CancellationToken.None);
            }
        }

        _host.Dispose();
    }

    private static ProcessIdentity Qemu(SupervisedPeer peer)
    {
        var identity = peer.Folder.ReadIdentity()!;
        var qemu = new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
        Assert.True(qemu.IsAlive());
        return qemu;
    }

    private PeerSupervisor Supervisor(string? peerPath = null)
    {
        var options = Options.Create(new FabricOptions { HostName = "host-a", RuntimeFolder = _host.Path, PeerPath = peerPath ?? FakePeer.Program });
        var supervisor = new PeerSupervisor(options, _vms, TimeProvider.System, NullLogger<PeerSupervisor>.Instance);
        _supervisors.Add(supervisor);
        return supervisor;
    }

    private Task<SupervisedPeer> StartAsync(PeerSupervisor supervisor, string behaviour = FakePeer.Answers, long epoch = 3, string vm = "redis") =>
        supervisor.StartAsync(_host.Instance(vm, epoch) with { KernelCommandLine = behaviour }, keepsDisk: false, TestContext.Current.CancellationToken);
}
