using Architekt.Fabric.Client;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Packages with memory and the VMs that are resumed from them, with nothing faked.</summary>
[Collection<SharedHosts>]
public sealed class PackageTests(TwoHosts hosts)
{
    private const int MostShareToSend = 2;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Package_CreatedRunTwiceAndMigrated_SendsOnlyWhatDiffers()
    {
        hosts.Require();
        var made = await hosts.Fabric.CreatePackageAsync(new PackageRecipe("redis", "warm", hosts.HostA.Name) { HasNetwork = false }, Token);
        Assert.True(made.Outcome == OperationOutcome.Succeeded, made.Reason);
        Assert.Equal(["kernel", "initramfs", "disk", "memory", "state"], made.Package!.Entries.Select(static entry => entry.Name));
        Assert.DoesNotContain(await hosts.Fabric.ListVmsAsync(Token), static vm => vm.Name.StartsWith("making-", StringComparison.Ordinal));
        var copy = await hosts.Fabric.ImportPackageAsync(hosts.HostB.Name, hosts.PackageFolder(hosts.HostA, made.Package.Digest), "warm", progress: null, Token);
        Assert.Equal(made.Package.Digest, copy.Digest);

        var forks = new[] { ("fork-a", hosts.HostA.Name), ("fork-b", hosts.HostB.Name) };
        try
        {
            foreach (var (name, host) in forks)
            {
                var vm = await hosts.Fabric.RunVmAsync(new VmSpec(name, "warm", host, HasNetwork: false), Token);
                Assert.Equal((VmState.Running, host), (vm.State, vm.Host));
                await AssertGuestAnswersAsync(vm);
                Assert.NotNull((await hosts.Fabric.InspectVmAsync(name, Token)).Usage?.Fill);
            }

            var there = await MigrateAsync("fork-a", hosts.HostB.Name);
            Assert.Equal(MemoryBase.Package, there.Base);
            Assert.True(there.Transfer.BaseBytes > there.Transfer.MemoryBytes * MostShareToSend, $"{there.Transfer}");

            var back = await MigrateAsync("fork-a", hosts.HostA.Name);
            Assert.Equal(MemoryBase.LastVisit, back.Base);
            Assert.True(back.Transfer.BaseBytes > back.Transfer.MemoryBytes * MostShareToSend, $"{back.Transfer}");
        }
        finally
        {
            foreach (var (name, _) in forks) await DeleteAsync(name);
            foreach (var host in hosts.Hosts) await hosts.ForgetAsync(host, "warm", Token);
        }
    }

    [Fact]
    public async Task Checkpoint_OfARunningVm_GoesOnAndCanBeResumed()
    {
        hosts.Require();
        const string name = "origin";

        // One that booted here, so that nobody else has anything of its RAM.
        await hosts.Fabric.RunVmAsync(new VmSpec(name, "redis", hosts.HostA.Name, HasNetwork: false), Token);
        try
        {
            var origin = await hosts.Fabric.WaitForVmAsync(name, VmState.Running, TimeSpan.FromMinutes(2), Token);
            var checkpoint = await hosts.Fabric.CheckpointVmAsync(name, "moment", cancellationToken: Token);

            var result = await checkpoint.WaitForCompletionAsync(Token);

            Assert.True(result.Outcome == OperationOutcome.Succeeded, result.Reason);
            Assert.NotNull(result.PauseMs);
            var after = await hosts.Fabric.GetVmAsync(name, Token);
            Assert.Equal((VmState.Running, origin.Epoch, null), (after.State, after.Epoch, after.Operation));
            await AssertGuestAnswersAsync(after);
            var resumed = await hosts.Fabric.RunVmAsync(new VmSpec("resumed", "moment", origin.Host, HasNetwork: false), Token);
            await AssertGuestAnswersAsync(resumed);
            var taken = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.CheckpointVmAsync(name, "moment", cancellationToken: Token));
            Assert.Equal(FabricErrorCode.AlreadyExists, taken.Code);

            var other = hosts.Other(origin.Host);
            await hosts.Fabric.PullPackageAsync(other, result.Package!.Digest, "moment", cancellationToken: Token);
            var moved = await MigrateAsync(name, other);
            Assert.Equal(MemoryBase.Package, moved.Base);
            Assert.True(moved.Transfer.BaseBytes > moved.Transfer.MemoryBytes * MostShareToSend, $"{moved.Transfer}");
        }
        finally
        {
            await DeleteAsync("resumed");
            await DeleteAsync(name);
            foreach (var host in hosts.Hosts) await hosts.ForgetAsync(host, "moment", Token);
        }
    }

    [Fact]
    public async Task CreatePackage_GuestThatDoesNotComeUp_SaysWhatItsConsoleSaidAndLeavesNothing()
    {
        hosts.Require();
        var recipe = new PackageRecipe("redis", "never", hosts.HostA.Name)
        {
            HasNetwork = false,
            KernelArguments = "init=/no/such/init rdinit=/no/such/init",
            Timeout = TimeSpan.FromSeconds(10),
        };

        var result = await hosts.Fabric.CreatePackageAsync(recipe, Token);

        Assert.Equal(OperationOutcome.Failed, result.Outcome);
        Assert.Contains("Its console ended with: ", result.Reason, StringComparison.Ordinal);
        Assert.Contains("panic", result.Reason, StringComparison.OrdinalIgnoreCase);
        Assert.Null(await hosts.Fabric.FindPackageAsync(hosts.HostA.Name, "never", Token));
        await AssertNothingIsLeftOfAsync(result.Vm);
    }

    [Fact]
    public async Task CreatePackage_ClientDisappearsWhileTheGuestBoots_IsMadeAndLeavesNothing()
    {
        hosts.Require();
        string operation;
        await using (var client = await hosts.ConnectAsync(Token))
        {
            var recipe = new PackageRecipe("redis", "orphaned", hosts.HostA.Name) { HasNetwork = false };
            operation = (await client.StartPackageAsync(recipe, cancellationToken: Token)).Id;
        }

        var result = await hosts.Fabric.GetCheckpoint(operation).WaitForCompletionAsync(Token);

        Assert.True(result.Outcome == OperationOutcome.Succeeded, result.Reason);
        Assert.Equal(result.Package?.Digest, (await hosts.Fabric.FindPackageAsync(hosts.HostA.Name, "orphaned", Token))?.Digest);
        await AssertNothingIsLeftOfAsync(result.Vm);
        await hosts.Fabric.DeletePackageAsync(hosts.HostA.Name, "orphaned", Token);
    }

    [Fact]
    public async Task CreatePackage_ClientAndSiloAreKilledWhileTheGuestBoots_LeavesNothing()
    {
        hosts.Require();
        CheckpointOperation making;
        await using (var client = await hosts.ConnectAsync(Token))
        {
            var recipe = new PackageRecipe("redis", "halfway", hosts.HostA.Name) { HasNetwork = false };
            making = hosts.Fabric.GetCheckpoint((await client.StartPackageAsync(recipe, cancellationToken: Token)).Id);
        }

        await TwoHosts.UntilAsync(() => Task.FromResult(TwoHosts.Instances(hosts.HostA).Any(IsMaking)), "the guest is started", Token);
        await hosts.HostA.KillAsync();
        await hosts.HostA.StartAsync(Token);
        var result = await making.WaitForCompletionAsync(Token);

        Assert.Equal(OperationOutcome.Failed, result.Outcome);
        Assert.Null(await hosts.Fabric.FindPackageAsync(hosts.HostA.Name, "halfway", Token));
        await AssertNothingIsLeftOfAsync(result.Vm);
    }

    [Fact]
    public async Task StoppedVm_MovesAndStartsOnTheOtherHost()
    {
        hosts.Require();
        const string name = "sleeper";
        try
        {
            await hosts.MakeReadyAsync(Token);
            await hosts.Fabric.RunVmAsync(new VmSpec(name, TwoHosts.Ready, hosts.HostA.Name, Address: $"{hosts.Subnet}.61/24"), Token);
            await hosts.Fabric.StopVmAsync(name, force: false, Token);
            await hosts.Fabric.WaitForVmAsync(name, VmState.Stopped, TimeSpan.FromMinutes(1), Token);

            var moved = await MigrateAsync(name, hosts.HostB.Name);

            Assert.Null(moved.PauseMs);
            Assert.True(moved.Transfer.DiskBytes > 0);
            var vm = await hosts.Fabric.GetVmAsync(name, Token);
            Assert.Equal((hosts.HostB.Name, 2L, VmState.Stopped), (vm.Host, vm.Epoch, vm.State));
            Assert.Empty(hosts.Disks(hosts.HostA, name));
            await hosts.Fabric.StartVmAsync(name, Token);
            vm = await hosts.Fabric.WaitForVmAsync(name, VmState.Running, TimeSpan.FromMinutes(2), Token);
            await AssertGuestAnswersAsync(vm);
        }
        finally
        {
            await DeleteAsync(name);
        }
    }

    private static bool IsMaking(string name) => name.StartsWith(FabricNames.MakingPrefix, StringComparison.Ordinal);

    private async Task AssertNothingIsLeftOfAsync(string vm)
    {
        await TwoHosts.UntilAsync(async () => await hosts.Fabric.FindVmAsync(vm, Token) is null, $"'{vm}' is forgotten", Token);
        await TwoHosts.UntilAsync(() => Task.FromResult(!TwoHosts.Instances(hosts.HostA).Any(IsMaking)), "its processes are gone", Token);
        Assert.Empty(hosts.Disks(hosts.HostA, vm));
    }

    private async Task<MigrationResult> MigrateAsync(string vm, string destination)
    {
        var before = await hosts.Fabric.GetVmAsync(vm, Token);
        return await hosts.MigrateAsync(vm, destination, new MigrationOptions(Verify: before.State == VmState.Running), Token);
    }

    private Task DeleteAsync(string vm) => hosts.DeleteAsync(vm, Token);

    private Task AssertGuestAnswersAsync(VmInfo vm) => hosts.AssertGuestAnswersAsync(vm, Token);
}
