using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Who owns a VM after its QEMU, its silo or its host has gone, with nothing faked.</summary>
public sealed class OwnershipTests(TwoHosts hosts) : IClassFixture<TwoHosts>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QemuDies_RestartOnFailure_RunsAgainOnceFromItsDiskWithTheNextEpoch()
    {
        hosts.Require();
        await using var vm = await RunAsync("again", hosts.HostB, VmRestart.OnFailure, VmAvailability.Normal);
        Assert.True(Qemu(hosts.HostB, "again.1").Kill(ProcessSignal.Kill));

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
        hosts.Require();
        await using var vm = await RunAsync("away", hosts.HostB, VmRestart.OnFailure, VmAvailability.Failover);
        var qemu = Qemu(hosts.HostB, "away.1");
        await hosts.HostB.KillAsync();
        try
        {
            await UntilAsync("away", seen => seen.Host == hosts.HostA.Name && seen.State is VmState.Booting or VmState.Running, "the other host has it");
            Assert.Equal((OwnershipChange.FailedOver, 2L), (await HistoryAsync("away"))[2]);
            Assert.Equal(0, await ProcessorTicksAsync(qemu));
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
        hosts.Require();
        await using var vm = await RunAsync("plain", hosts.HostB, VmRestart.Never, VmAvailability.Normal);
        var qemu = Qemu(hosts.HostB, "plain.1");
        await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.DeclareHostDeadAsync(hosts.HostB.Name, Token));
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
            async () => (await hosts.Fabric.ListHostsAsync(Token)).Single(host => host.Name == hosts.HostB.Name).State == HostState.Ready, "the host is ready", Token);
        await hosts.Fabric.StartVmAsync("plain", Token);
        await UntilAsync("plain", static seen => seen.State == VmState.Running, "it is up, with its disk");
    }

    private async Task<IAsyncDisposable> RunAsync(string name, SiloProcess host, VmRestart restart, VmAvailability availability)
    {
        var vm = new Deletion(hosts, name);
        await hosts.Fabric.RunVmAsync(new VmSpec(name, "redis", host.Name, HasNetwork: false, Restart: restart, Availability: availability), Token);
        await hosts.Fabric.WaitForVmAsync(name, VmState.Running, TimeSpan.FromMinutes(2), Token);
        return vm;
    }

    private static ProcessIdentity Qemu(SiloProcess host, string instance)
    {
        var identity = TwoHosts.Identity(host, instance);
        return new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
    }

    /// <summary>Processor time QEMU takes within a second, in clock ticks (proc(5)); housekeeping of a guest that stands still is none.</summary>
    private static async Task<long> ProcessorTicksAsync(ProcessIdentity process)
    {
        var before = Read();
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        return Math.Max(0, Read() - before - 2);

        long Read()
        {
            if (!process.IsAlive()) return 0;
            var stat = File.ReadAllText($"/proc/{process.Pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[11], System.Globalization.CultureInfo.InvariantCulture) + long.Parse(fields[12], System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private async Task<HostDeath?> TryDeclareAsync()
    {
        try
        {
            return await hosts.Fabric.DeclareHostDeadAsync(hosts.HostB.Name, Token);
        }
        catch (FabricException error) when (error.Code is FabricErrorCode.Conflict or FabricErrorCode.Timeout or FabricErrorCode.Unavailable)
        {
            // The silo is taken for a member yet, and may even be the one that was asked.
            return null;
        }
    }

    private async Task<(string? Host, long Epoch, VmState State)> OwnerAsync(string name)
    {
        var owner = await hosts.Fabric.GetVmOwnerAsync(name, Token);
        return (owner.Host, owner.Epoch, owner.State);
    }

    private async Task<IReadOnlyList<(OwnershipChange Change, long Epoch)>> HistoryAsync(string name) =>
        [.. (await hosts.Fabric.ReadVmHistoryAsync(name, cancellationToken: Token)).Select(static entry => (entry.Change, entry.Epoch))];

    private Task UntilAsync(string name, Func<VmInfo, bool> condition, string what) =>
        TwoHosts.UntilAsync(async () => await TryGetAsync(name) is { } seen && condition(seen), what, Token);

    private async Task<VmInfo?> TryGetAsync(string name)
    {
        try
        {
            return await hosts.Fabric.GetVmAsync(name, Token);
        }
        catch (FabricException error) when (error.Code is FabricErrorCode.Timeout or FabricErrorCode.Unavailable)
        {
            // A silo that has just gone may be the one that was asked.
            return null;
        }
    }

    private sealed class Deletion(TwoHosts hosts, string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (await hosts.Fabric.FindVmAsync(name, CancellationToken.None) is not null) await hosts.Fabric.DeleteVmAsync(name, force: true, CancellationToken.None);
        }
    }
}
