using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>The whole fabric with nothing faked. Each test begins and ends with the guest running somewhere.</summary>
[Collection<SharedHosts>]
public sealed class FabricTests(TwoHosts hosts)
{
    /// <summary>Slow enough to act in the middle of a copy: about 20 s for this guest.</summary>
    private static readonly MigrationOptions Slow = new(BandwidthBytesPerSecond: 5 << 20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrate_RunningGuest_MovesOwnerEpochAndMemory()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var destination = hosts.Other(before.Host);

        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination, new MigrationOptions(Verify: true), cancellationToken: Token);
        var phases = new List<MigrationPhase>();
        await foreach (var progress in migration.WatchAsync(cancellationToken: Token)) phases.Add(progress.Phase);
        var result = await migration.WaitForCompletionAsync(Token);

        Assert.Equal(OperationOutcome.Succeeded, result.Outcome);
        Assert.True(result.Verified);
        Assert.True(result.Epoch > before.Epoch);
        Assert.Equal(phases.Order(), phases);
        Assert.Equal(MigrationPhase.Done, phases[^1]);
        Assert.True(result.Transfer.SkippedBytes > 0, "Half of this guest's RAM was never written and must not be sent.");
        Assert.True(result.PauseMs > 0);
        var after = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        Assert.Equal((destination, result.Epoch, VmState.Running), (after.Host, after.Epoch, after.State));
        Assert.Equal([$"{TwoHosts.Vm}.{after.Epoch}"], TwoHosts.Instances(hosts.Of(destination)));
        Assert.Empty(TwoHosts.Instances(hosts.Of(before.Host)));
        await AssertGuestAnswersAsync(after);
    }

    [Fact]
    public async Task Migrate_DestinationPeerDiesWhileCopying_GuestStaysAndNextMigrationSucceeds()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var destination = hosts.Other(before.Host);
        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination, Slow, cancellationToken: Token);
        await UntilCopyingAsync(migration);

        var operation = await hosts.Fabric.FindOperationAsync(migration.Id, Token);
        var doomed = TwoHosts.Identity(hosts.Of(destination), $"{TwoHosts.Vm}.{operation!.Epoch}");
        Assert.True(new ProcessIdentity(doomed.PeerPid, doomed.PeerStartTicks).Kill(ProcessSignal.Kill));
        var result = await migration.WaitForCompletionAsync(Token);

        Assert.Equal((OperationOutcome.Failed, MigrationPhase.Copy), (result.Outcome, result.FailedPhase));
        Assert.NotNull(result.Reason);
        var after = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        Assert.Equal((before.Host, before.Epoch, VmState.Running), (after.Host, after.Epoch, after.State));
        await AssertGuestAnswersAsync(after);
        await TwoHosts.UntilAsync(
            () => Task.FromResult(TwoHosts.Instances(hosts.Of(destination)).Count == 0), "the destination was cleaned up", Token);
        Assert.False(new ProcessIdentity(doomed.QemuPid, doomed.QemuStartTicks).IsAlive());
        await MigrateAsync(destination);
    }

    [Fact]
    public async Task Cancel_WhileCopying_GuestStaysAndDestinationIsClean()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var destination = hosts.Other(before.Host);
        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, destination, Slow, cancellationToken: Token);
        await UntilCopyingAsync(migration);

        await migration.CancelAsync(Token);
        var result = await migration.WaitForCompletionAsync(Token);

        Assert.Equal(OperationOutcome.Cancelled, result.Outcome);
        Assert.Equal(before.Host, result.RunsOn);
        Assert.Empty(TwoHosts.Instances(hosts.Of(destination)));
        await AssertGuestAnswersAsync(before);
        var refusal = await Assert.ThrowsAsync<FabricException>(() => migration.CancelAsync(Token));
        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
    }

    [Fact]
    public async Task Migrate_SecondWhileOneRuns_IsRefusedByName()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var migration = await hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, hosts.Other(before.Host), Slow, cancellationToken: Token);

        var refusal = await Assert.ThrowsAsync<FabricException>(
            () => hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, hosts.Other(before.Host), Slow, cancellationToken: Token));

        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        Assert.Contains(migration.Id, refusal.Message, StringComparison.Ordinal);
        await UntilCopyingAsync(migration);
        await migration.CancelAsync(Token);
    }

    [Fact]
    public async Task SiloKilledAndRestarted_GuestNeverStopsAndIsFoundAgain()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var host = hosts.Of(before.Host);
        var instance = $"{TwoHosts.Vm}.{before.Epoch}";
        var identity = TwoHosts.Identity(host, instance);

        await host.KillAsync();
        await host.StartAsync(Token);

        await TwoHosts.UntilAsync(async () => await IsRunningAsync(), "the VM is shown as running again", Token);
        Assert.Equal(identity, TwoHosts.Identity(host, instance));
        Assert.True(new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks).IsAlive());
        await MigrateAsync(hosts.Other(before.Host));
    }

    [Fact]
    public async Task PostgresGone_GuestRunsOnAndCommandsSaySo()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        hosts.CutPostgres();
        try
        {
            var refusal = await Assert.ThrowsAsync<FabricException>(
                () => hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, hosts.Other(before.Host), cancellationToken: Token));
            Assert.True(refusal.IsTransient, $"{refusal.Code}: {refusal}");
            Assert.Equal(FabricErrorCode.Unavailable, refusal.Code);
            await AssertGuestAnswersAsync(before);
        }
        finally
        {
            hosts.MendPostgres();
        }

        await TwoHosts.UntilAsync(async () => await IsRunningAsync(), "the VM can be asked for again", Token);
        await MigrateAsync(hosts.Other(before.Host));
    }

    [Fact]
    public async Task PostgresGone_SiloEndsSoonAfterItIsAskedTo_GuestNeverStopsAndIsFoundAgain()
    {
        hosts.Require();
        var before = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var host = hosts.Of(before.Host);
        var identity = TwoHosts.Identity(host, $"{TwoHosts.Vm}.{before.Epoch}");
        hosts.CutPostgres();
        try
        {
            Assert.True(await host.StopAsync(SiloProcess.LongestStop), $"The silo had not ended {SiloProcess.LongestStop.TotalSeconds:0} s after SIGTERM.");
            Assert.True(new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks).IsAlive());
            await AssertGuestAnswersAsync(before);
        }
        finally
        {
            hosts.MendPostgres();
        }

        await host.StartAsync(Token);
        await TwoHosts.UntilAsync(async () => await IsRunningAsync(), "the VM is shown as running again", Token);
        Assert.Equal(identity, TwoHosts.Identity(host, $"{TwoHosts.Vm}.{before.Epoch}"));
        await MigrateAsync(hosts.Other(before.Host));
    }

    [Theory]
    [InlineData("nope", "redis", "host-a", FabricErrorCode.NotFound)]
    [InlineData("host-a", "nope", "host-a", FabricErrorCode.NotFound)]
    public async Task Run_UnknownHostOrPackage_IsNotFound(string host, string package, string reachable, FabricErrorCode expected)
    {
        hosts.Require();
        var refusal = await Assert.ThrowsAsync<FabricException>(
            () => hosts.Fabric.RunVmAsync(new VmSpec("other", package, host, HasNetwork: false), Token));
        Assert.Equal(expected, refusal.Code);
        Assert.Null(await hosts.Fabric.FindVmAsync("other", Token));
        Assert.Equal(HostState.Ready, (await hosts.Fabric.ListHostsAsync(Token)).Single(known => known.Name == reachable).State);
    }

    [Fact]
    public async Task Run_NoRoom_IsRefusedAndNameIsFree()
    {
        hosts.Require();
        var refusal = await Assert.ThrowsAsync<FabricException>(
            () => hosts.Fabric.RunVmAsync(new VmSpec("other", "redis", "host-a", MemoryBytes: 64L << 30, HasNetwork: false), Token));
        Assert.Equal(FabricErrorCode.NoCapacity, refusal.Code);
        Assert.Null(await hosts.Fabric.FindVmAsync("other", Token));
    }

    [Fact]
    public async Task Migrate_ToWhereItIs_OrToNowhere_IsRefused()
    {
        hosts.Require();
        var vm = await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token);
        var same = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, vm.Host, cancellationToken: Token));
        Assert.Equal(FabricErrorCode.Conflict, same.Code);
        var nowhere = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.StartMigrationAsync(TwoHosts.Vm, "nope", cancellationToken: Token));
        Assert.Equal(FabricErrorCode.NotFound, nowhere.Code);
        var nobody = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.StartMigrationAsync("nobody", "host-b", cancellationToken: Token));
        Assert.Equal(FabricErrorCode.NotFound, nobody.Code);
    }

    private Task<MigrationResult> MigrateAsync(string destination) => hosts.MigrateAsync(TwoHosts.Vm, destination, options: null, Token);

    private async Task<bool> IsRunningAsync()
    {
        try
        {
            return (await hosts.Fabric.GetVmAsync(TwoHosts.Vm, Token)).State == VmState.Running;
        }
        catch (FabricException error) when (error.IsTransient)
        {
            return false;
        }
    }

    private static Task UntilCopyingAsync(Client.MigrationOperation migration) => TwoHosts.UntilCopyingAsync(migration, Token);

    private Task AssertGuestAnswersAsync(VmInfo vm) => hosts.AssertGuestAnswersAsync(vm, Token);
}
