using Architekt.Fabric.Client;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Who owns a VM after its QEMU, its silo or its host has gone, with nothing faked.</summary>
[Collection<SharedHosts>]
public sealed class OwnershipTests(TwoHosts hosts) : IAsyncLifetime
{
    /// <summary>Of the host that nothing is done to: whoever asks there is answered, whatever becomes of the other.</summary>
    private FabricClient? _connected;

    private FabricClient Fabric => _connected!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        hosts.Require();
        await hosts.BringAsync(hosts.HostA, Token);
        _connected = await hosts.ConnectAsync(Token, hosts.HostA);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connected is not null) await _connected.DisposeAsync();
    }

    [Fact]
    public async Task QemuDies_RestartOnFailure_RunsAgainOnceFromItsDiskWithTheNextEpoch()
    {
        await using var vm = await ResumeAsync("again", VmRestart.OnFailure);
        Assert.True(TwoHosts.Qemu(hosts.HostB, "again.1").Kill(ProcessSignal.Kill));

        await UntilAsync("again", static seen => seen is { Epoch: 2, State: VmState.Running }, "it runs again");

        Assert.Equal(
            [
                (OwnershipChange.Created, 1L), (OwnershipChange.Started, 1L), (OwnershipChange.Failed, 1L), (OwnershipChange.Restarted, 2L), (OwnershipChange.Started, 2L),
            ],
            await HistoryAsync("again"));
        Assert.Equal("again.2.qcow2", Path.GetFileName(Assert.Single(hosts.Disks(hosts.HostB, "again"))));
        Assert.Contains("again.2", TwoHosts.Instances(hosts.HostB));
        Assert.DoesNotContain("again.1", TwoHosts.Instances(hosts.HostB));
    }

    [Fact]
    public async Task SiloIsGone_Failover_StandsStillBeforeAnotherHostStartsItAndEndsWhenTheSiloIsBack()
    {
        await using var vm = await BootAsync("away", VmRestart.OnFailure, VmAvailability.Failover);
        var qemu = TwoHosts.Qemu(hosts.HostB, "away.1");
        await hosts.HostB.KillAsync();
        try
        {
            await UntilAsync("away", seen => seen.Host == hosts.HostA.Name && seen.State is VmState.Booting or VmState.Running, "the other host has it");
            Assert.Equal((OwnershipChange.FailedOver, 2L), (await HistoryAsync("away"))[2]);
            Assert.Equal(0, await TwoHosts.ProcessorTicksAsync(qemu, Token));
        }
        finally
        {
            await hosts.HostB.StartAsync(Token);
        }

        await TwoHosts.UntilAsync(() => Task.FromResult(!TwoHosts.Instances(hosts.HostB).Contains("away.1") && !qemu.IsAlive()), "what was left is gone", Token);
        await TwoHosts.UntilAsync(() => Task.FromResult(hosts.Disks(hosts.HostB, "away").Count == 0), "its disk is gone", Token);
        await UntilAsync("away", seen => seen.Host == hosts.HostA.Name && seen.State == VmState.Running, "it is up");
    }

    [Fact]
    public async Task HostIsDeclaredDeadAndComesBack_EndsWhatItHasAndOwnsItsDiskAgain()
    {
        await using var vm = await ResumeAsync("plain", VmRestart.Never);
        var qemu = TwoHosts.Qemu(hosts.HostB, "plain.1");
        await Assert.ThrowsAsync<FabricException>(() => Fabric.DeclareHostDeadAsync(hosts.HostB.Name, Token));
        await hosts.HostB.KillAsync();
        try
        {
            HostDeath? death = null;
            await TwoHosts.UntilAsync(async () => (death = await TryDeclareAsync()) is not null, "the fabric notices that the silo is gone", Token);
            Assert.Contains("plain", death!.Lost);
            Assert.Equal((null, 2L, VmState.Lost), await OwnerAsync("plain"));

            // The operator was wrong: it runs on. That is what a normal VM does as long as nobody tells it.
            Assert.True(qemu.IsAlive());
        }
        finally
        {
            await hosts.HostB.StartAsync(Token);
        }

        await TwoHosts.UntilAsync(async () => (await OwnerAsync("plain")) is ("host-b", 2L, VmState.Failed), "it is its own again", Token);
        Assert.False(qemu.IsAlive());
        await TwoHosts.UntilAsync(() => Task.FromResult(hosts.Disks(hosts.HostB, "plain") is [var disk] && Path.GetFileName(disk) == "plain.2.qcow2"), "its disk is filed", Token);
        await TwoHosts.UntilAsync(
            async () => (await Fabric.ListHostsAsync(Token)).Single(host => host.Name == hosts.HostB.Name).State == HostState.Ready, "the host is ready", Token);
        await Fabric.StartVmAsync("plain", Token);
        await UntilAsync("plain", static seen => seen.State == VmState.Running, "it is up, with its disk");
    }

    /// <summary>As a migration leaves a VM whose destination did not say whether it runs.</summary>
    [Fact]
    public async Task RecordedAsUnknown_ItsSiloIsBack_SaysThatItRuns()
    {
        await using var vm = await ResumeAsync("unsure", VmRestart.Never);
        var qemu = TwoHosts.Qemu(hosts.HostB, "unsure.1");
        await hosts.HostB.KillAsync();
        await hosts.RecordStateAsync("unsure", VmState.Unknown, "'host-b' did not say whether it runs", Token);
        Assert.Equal(VmState.Unknown, (await Fabric.GetVmAsync("unsure", Token)).State);

        await hosts.HostB.StartAsync(Token);

        await TwoHosts.UntilAsync(async () => (await OwnerAsync("unsure")) is ("host-b", 1L, VmState.Running), "its host says that it runs", Token);
        Assert.True(qemu.IsAlive());
        await hosts.AssertGuestAnswersAsync(await Fabric.GetVmAsync("unsure", Token), Token);
    }

    /// <summary>Runs a VM on host-b that is there at once.</summary>
    private async Task<IAsyncDisposable> ResumeAsync(string name, VmRestart restart)
    {
        await hosts.MakeReadyAsync(Token);
        var vm = new Deletion(hosts, name);
        await Fabric.RunVmAsync(new VmSpec(name, TwoHosts.Ready, hosts.HostB.Name, Address: $"{hosts.Subnet}.60/24", Restart: restart), Token);
        return vm;
    }

    private async Task<IAsyncDisposable> BootAsync(string name, VmRestart restart, VmAvailability availability)
    {
        var vm = new Deletion(hosts, name);
        await Fabric.RunVmAsync(new VmSpec(name, "redis", hosts.HostB.Name, HasNetwork: false, Restart: restart, Availability: availability), Token);
        await Fabric.WaitForVmAsync(name, VmState.Running, TimeSpan.FromMinutes(2), Token);
        return vm;
    }

    private async Task<HostDeath?> TryDeclareAsync()
    {
        try
        {
            return await Fabric.DeclareHostDeadAsync(hosts.HostB.Name, Token);
        }
        catch (FabricException error) when (error.Code == FabricErrorCode.Conflict)
        {
            // The silo is taken for a member yet.
            return null;
        }
    }

    private async Task<(string? Host, long Epoch, VmState State)> OwnerAsync(string name)
    {
        var owner = await Fabric.GetVmOwnerAsync(name, Token);
        return (owner.Host, owner.Epoch, owner.State);
    }

    private async Task<IReadOnlyList<(OwnershipChange Change, long Epoch)>> HistoryAsync(string name) =>
        [.. (await Fabric.ReadVmHistoryAsync(name, cancellationToken: Token)).Select(static entry => (entry.Change, entry.Epoch))];

    private Task UntilAsync(string name, Func<VmInfo, bool> condition, string what) =>
        TwoHosts.UntilAsync(async () => condition(await Fabric.GetVmAsync(name, Token)), what, Token);

    private sealed class Deletion(TwoHosts hosts, string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await hosts.DeleteAsync(name, CancellationToken.None);
    }
}
