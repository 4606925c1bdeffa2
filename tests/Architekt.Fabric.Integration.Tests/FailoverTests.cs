namespace Architekt.Fabric.Integration.Tests;

/// <summary>A VM with a lease, which ends 5 s after its host has reached Postgres last; 3 s later another host may start it.</summary>
[Collection<SharedHosts>]
public sealed class FailoverTests(TwoHosts hosts)
{
    private const string Guest = "leased";
    private const int Number = 40;
    private static readonly TimeSpan LongestHiccup = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan LeaseAndMargin = TimeSpan.FromSeconds(8);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HostIsCutOff_StandsStillBeforeAHostThatLacksThePackagePullsItAndTakesOver()
    {
        const string package = "far";
        hosts.Require();
        await CheckpointAsync(package);
        await using var guest = await LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostB, Token, VmAvailability.Failover, package);
        var qemu = TwoHosts.Qemu(hosts.HostB, $"{Guest}.1");
        await using var client = await hosts.ConnectAsync(Token, hosts.HostA);
        Assert.Null(await client.FindPackageAsync(hosts.HostA.Name, package, Token));
        hosts.PostgresOf(hosts.HostB).Cut();
        try
        {
            await guest.UntilItStandsStillAsync(Token);
            await TwoHosts.UntilAsync(async () => await hosts.ReadOwnerAsync(Guest, Token) == (hosts.HostA.Name, 2L), "the other host has it", Token);
            Assert.Equal(0, await TwoHosts.ProcessorTicksAsync(qemu, Token));
            var after = await client.WaitForVmAsync(Guest, VmState.Running, TimeSpan.FromMinutes(1), Token);
            Assert.NotNull(await client.FindPackageAsync(hosts.HostA.Name, after.PackageDigest, Token));
            await hosts.AssertGuestAnswersAsync(after, Token);
        }
        finally
        {
            hosts.MendPostgres();
        }

        await TwoHosts.UntilAsync(() => Task.FromResult(!qemu.IsAlive()), "the host ends what is not its own any more", Token);
        await hosts.UntilOnlyTheOwnerIsLeftAsync(await client.GetVmAsync(Guest, Token), Token);
        Assert.Contains((OwnershipChange.FailedOver, 2L), await HistoryAsync());
        await hosts.DeleteAsync(Guest, Token);
        await hosts.Fabric.DeletePackageAsync(hosts.HostB.Name, package, Token);
        await hosts.Fabric.CollectPackagesAsync(hosts.HostA.Name, Token);
    }

    [Fact]
    public async Task PostgresGone_RunsWithinItsLeaseThenStandsStillAndGoesOnWhereItWas()
    {
        hosts.Require();
        await using var guest = await LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostB, Token, VmAvailability.Failover);
        var qemu = TwoHosts.Qemu(hosts.HostB, $"{Guest}.1");
        try
        {
            var gap = await guest.LongestGapAsync(async () =>
            {
                hosts.CutPostgres();
                await Task.Delay(TimeSpan.FromSeconds(2), Token);
            });
            Assert.True(gap < LongestHiccup, $"Its lease had not ended, and it stood still for {gap.TotalMilliseconds:0} ms.");
            await guest.UntilItStandsStillAsync(Token);

            // Its owner first: whoever else may look then finds it renewed.
            hosts.PostgresOf(hosts.HostB).Mend();
            await guest.UntilItWritesAsync(Token);
        }
        finally
        {
            hosts.MendPostgres();
        }

        await AssertNeverTakenOverAsync(1);
        Assert.True(qemu.IsAlive());
        await guest.AssertNothingIsLostAsync();
    }

    [Fact]
    public async Task SiloKilledAndRestarted_SameGuestGoesOnAndIsNotTakenOver()
    {
        hosts.Require();
        await using var guest = await LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostB, Token, VmAvailability.Failover);
        var qemu = TwoHosts.Qemu(hosts.HostB, $"{Guest}.1");

        await hosts.HostB.KillAsync();
        await hosts.HostB.StartAsync(Token);

        // For longer than anybody but its owner could let it run.
        var gap = await guest.LongestGapAsync(() => Task.Delay(LeaseAndMargin, Token));
        Assert.True(gap < LongestHiccup, $"It was renewed, and it stood still for {gap.TotalMilliseconds:0} ms.");
        Assert.True(qemu.IsAlive());
        await hosts.ReachAsync(hosts.HostB, Token);
        await AssertNeverTakenOverAsync(1);
        await guest.AssertNothingIsLostAsync();
    }

    [Fact]
    public async Task Migrated_ItsLeaseIsTheDestinationsAndTheSourceCannotEndIt()
    {
        hosts.Require();
        await using var guest = await LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostB, Token, VmAvailability.Failover);
        await hosts.MigrateAsync(Guest, hosts.HostA.Name, options: null, Token);
        hosts.PostgresOf(hosts.HostB).Cut();
        try
        {
            var gap = await guest.LongestGapAsync(() => Task.Delay(LeaseAndMargin, Token));
            Assert.True(gap < LongestHiccup, $"It was renewed, and it stood still for {gap.TotalMilliseconds:0} ms.");
        }
        finally
        {
            hosts.MendPostgres();
        }

        await AssertNeverTakenOverAsync(2);
        await guest.AssertNothingIsLostAsync();
    }

    /// <summary>Its host is cut off while the commit is held back: another may take it over, and what was prepared for the migration must not run then.</summary>
    [Fact]
    public async Task Migrated_TakenOverBeforeTheCommit_MigrationFailsAndOnlyTheNewOwnerRuns()
    {
        const string id = "taken-over";
        hosts.Require();
        await using var guest = await LoadedGuest.RunAsync(hosts, Guest, Number, hosts.HostB, Token, VmAvailability.Failover);
        var qemu = TwoHosts.Qemu(hosts.HostB, $"{Guest}.1");
        Client.MigrationOperation migration;
        using (var gate = hosts.Hold(id, "Commit"))
        {
            migration = await hosts.Fabric.StartMigrationAsync(Guest, hosts.HostA.Name, operationId: id, cancellationToken: Token);
            await gate.UntilReachedAsync(Token);
            hosts.PostgresOf(hosts.HostB).Cut();
            try
            {
                // Not 2, which the migration has reserved.
                await TwoHosts.UntilAsync(async () => await hosts.ReadOwnerAsync(Guest, Token) == (hosts.HostA.Name, 3L), "the other host has it", Token);
                Assert.Equal(0, await TwoHosts.ProcessorTicksAsync(qemu, Token));
            }
            finally
            {
                hosts.MendPostgres();
            }
        }

        var result = await migration.WaitForCompletionAsync(Token);
        Assert.True((result.Outcome, result.ErrorCode) == (OperationOutcome.Failed, FabricErrorCode.StaleEpoch), $"{result.Outcome} {result.ErrorCode}: {result.Reason}");
        Assert.Equal((hosts.HostA.Name, 3L), (result.RunsOn, result.Epoch));
        var after = await hosts.Fabric.WaitForVmAsync(Guest, VmState.Running, TimeSpan.FromMinutes(1), Token);
        Assert.Equal((hosts.HostA.Name, 3L), (after.Host, after.Epoch));
        await hosts.AssertGuestAnswersAsync(after, Token);
        await hosts.UntilOnlyTheOwnerIsLeftAsync(after, Token);
        Assert.False(qemu.IsAlive());
    }

    /// <summary>A package that only host-b has.</summary>
    private async Task CheckpointAsync(string package)
    {
        const string vm = "seedling";
        await using var origin = await LoadedGuest.RunAsync(hosts, vm, Number + 1, hosts.HostB, Token);
        var checkpoint = await hosts.Fabric.CheckpointVmAsync(vm, package, cancellationToken: Token);
        var result = await checkpoint.WaitForCompletionAsync(Token);
        Assert.True(result.Outcome == OperationOutcome.Succeeded, result.Reason);
    }

    private async Task AssertNeverTakenOverAsync(long epoch)
    {
        Assert.DoesNotContain(await HistoryAsync(), static entry => entry.Change == OwnershipChange.FailedOver);
        var vm = await hosts.Fabric.GetVmAsync(Guest, Token);
        Assert.Equal((VmState.Running, epoch), (vm.State, vm.Epoch));
    }

    /// <summary>Since it was created; other tests had one of this name.</summary>
    private async Task<IReadOnlyList<(OwnershipChange Change, long Epoch)>> HistoryAsync()
    {
        List<(OwnershipChange Change, long Epoch)> all =
            [.. (await hosts.Fabric.ReadVmHistoryAsync(Guest, cancellationToken: Token)).Select(static entry => (entry.Change, entry.Epoch))];
        return all[all.FindLastIndex(static entry => entry.Change == OwnershipChange.Created)..];
    }
}
