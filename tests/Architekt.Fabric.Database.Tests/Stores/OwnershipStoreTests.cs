using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class OwnershipStoreTests : StoreTest, IClassFixture<PostgresDatabase>
{
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private readonly OwnershipStore _ownership;

    public OwnershipStoreTests(PostgresDatabase database)
        : base(database) => _ownership = new OwnershipStore(Database, Sink);

    [Fact]
    public async Task History_OfALife_HasEveryChangeWithItsOperation()
    {
        var plan = await BeginAsync();
        await Vms.SetStateAsync(plan.Vm, 1, VmState.Booting, null, "It boots.", Cancellation);
        await Vms.SetStateAsync(plan.Vm, 1, VmState.Running, null, "It is up.", Cancellation);
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
        await Operations.EndAsync(Result(plan), Cancellation);
        await Vms.SetStateAsync(plan.Vm, 2, VmState.Stopping, null, "It was asked.", Cancellation);
        await Vms.SetStateAsync(plan.Vm, 2, VmState.Stopped, "the guest shut down", "It stopped.", Cancellation);
        Assert.True(await Vms.DeleteAsync(plan.Vm, 2, Cancellation));

        var history = await _ownership.ReadHistoryAsync(plan.Vm, 100, Cancellation);

        Assert.Equal(
            [
                (OwnershipChange.Created, 1L, "host-a", null, null), (OwnershipChange.Started, 1L, "host-a", null, null),
                (OwnershipChange.Migrated, 2L, "host-b", plan.Operation, null), (OwnershipChange.Stopped, 2L, "host-b", null, "the guest shut down"),
                (OwnershipChange.Deleted, 2L, null, null, (string?)null),
            ],
            history.Select(entry => (entry.Change, entry.Epoch, entry.Host, entry.Operation, entry.Reason)));
        Assert.Equal(history.Select(entry => entry.Sequence).Order(), history.Select(entry => entry.Sequence));
        Assert.Equal(history.TakeLast(2), await _ownership.ReadHistoryAsync(plan.Vm, 2, Cancellation));
    }

    [Fact]
    public async Task FindOwner_OperationAndLease_AreThere()
    {
        var name = await CreateLeasedAsync();
        Assert.Null((await _ownership.FindOwnerAsync(name, Cancellation))!.LeaseUntil);
        await RenewAsync("host-a", name, 1);
        var owner = (await _ownership.FindOwnerAsync(name, Cancellation))!;
        Assert.Equal(("host-a", 1L, VmAvailability.Failover, VmRestart.OnFailure), (owner.Host, owner.Epoch, owner.Availability, owner.Restart));
        Assert.InRange(owner.LeaseRemainingMs!.Value, 1, Duration.TotalMilliseconds);
        Assert.Null(await _ownership.FindOwnerAsync("nobody", Cancellation));
    }

    [Theory]
    [InlineData("host-b", 1)]
    [InlineData("host-a", 2)]
    public async Task Renew_NotItsOwn_IsNotReturned(string host, long epoch)
    {
        var name = await CreateLeasedAsync();
        Assert.Empty(await RenewAsync(host, name, epoch));
        Assert.Null((await _ownership.FindOwnerAsync(name, Cancellation))!.LeaseUntil);
    }

    [Fact]
    public async Task Claim_LeaseHasEnded_GivesTheNextEpochOnce()
    {
        var name = await CreateLeasedAsync();
        await ExpireAsync(name);
        var seen = await SightAsync("host-b", name);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => _ownership.ClaimAsync(seen, $"host-{(char)('b' + i)}", Margin, Duration, Cancellation)));

        var won = Assert.Single(claimed, vm => vm is not null)!;
        Assert.Equal((2L, 2L, VmState.Starting), (won.Info.Epoch, won.DiskEpoch, won.Info.State));
        Assert.False(await Vms.SetStateAsync(name, 1, VmState.Running, null, null, Cancellation));
        Assert.Empty(await RenewAsync("host-a", name, 1));
        Assert.Equal(OwnershipChange.FailedOver, (await _ownership.ReadHistoryAsync(name, 1, Cancellation))[0].Change);
        Assert.Equal(EventKinds.VmFailedOver, Sink.Events.Last().Kind);
    }

    [Fact]
    public async Task Claim_BeforeTheMarginIsOver_IsRefused()
    {
        var name = await CreateLeasedAsync();
        await ExpireAsync(name, "3 seconds");
        Assert.Null(await _ownership.ClaimAsync(await SightAsync("host-b", name), "host-b", Margin, Duration, Cancellation));
    }

    [Fact]
    public async Task Claim_RenewedSinceItWasSeen_IsRefused()
    {
        var name = await CreateLeasedAsync();
        await ExpireAsync(name);
        var seen = await SightAsync("host-b", name);
        Assert.Single(await RenewAsync("host-a", name, 1));
        await ExpireAsync(name, "9 minutes");
        Assert.Null(await _ownership.ClaimAsync(seen, "host-b", Margin, Duration, Cancellation));
        Assert.Equal("host-a", (await Vms.FindAsync(name, Cancellation))!.Info.Host);
    }

    [Fact]
    public async Task Claim_EpochReservedByAMigration_IsLeftOutAndTheMigrationCannotCommit()
    {
        var name = await CreateLeasedAsync();
        var plan = await BeginAsync(name);
        await ExpireAsync(name);
        var claimed = await _ownership.ClaimAsync(await SightAsync("host-c", name), "host-c", Margin, Duration, Cancellation);
        Assert.Equal(3L, claimed!.Info.Epoch);
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan, Cancellation));
        Assert.Equal(WithdrawOutcome.TakenOver, await Vms.WithdrawAsync(plan, Cancellation));
    }

    [Theory]
    [InlineData(VmState.Stopped)]
    [InlineData(VmState.Failed)]
    [InlineData(VmState.Stopping)]
    public async Task ListForeignLeases_DoesNotRun_IsNotListed(VmState state)
    {
        var name = await CreateLeasedAsync();
        await RenewAsync("host-a", name, 1);
        await Vms.SetStateAsync(name, 1, state, null, null, Cancellation);
        Assert.DoesNotContain(await _ownership.ListForeignLeasesAsync("host-b", Cancellation), lease => lease.Vm.Info.Name == name);
    }

    [Fact]
    public async Task Restart_FailedVm_GivesTheNextEpochOnceAndKeepsTheDisk()
    {
        var name = await CreateLeasedAsync();
        await Vms.SetStateAsync(name, 1, VmState.Failed, "QEMU died", "It failed.", Cancellation);
        var seen = Assert.Single(await _ownership.ListFailedAsync("host-a", Cancellation), vm => vm.Vm.Info.Name == name);
        var restarted = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _ownership.RestartAsync(seen, 1, 1, Cancellation)));

        var won = Assert.Single(restarted, vm => vm is not null)!;
        Assert.Equal((2L, 1L, VmState.Starting), (won.Info.Epoch, won.DiskEpoch, won.Info.State));
        Assert.Equal(1, (await _ownership.FindOwnerAsync(name, Cancellation))!.Restarts);
        Assert.Equal((OwnershipChange.Restarted, "QEMU died"), (await _ownership.ReadHistoryAsync(name, 1, Cancellation)).Select(entry => (entry.Change, entry.Reason)).Single());
    }

    [Fact]
    public async Task Restart_MigrationHasBegunSince_IsRefused()
    {
        var name = await CreateLeasedAsync();
        await Vms.SetStateAsync(name, 1, VmState.Failed, "QEMU died", "It failed.", Cancellation);
        var seen = Assert.Single(await _ownership.ListFailedAsync("host-a", Cancellation), vm => vm.Vm.Info.Name == name);
        await BeginAsync(name);
        Assert.Null(await _ownership.RestartAsync(seen, 1, 1, Cancellation));
        Assert.DoesNotContain(await _ownership.ListFailedAsync("host-a", Cancellation), vm => vm.Vm.Info.Name == name);
    }

    [Fact]
    public async Task DeclareDead_FencesEveryVmAndTellsWhoseEpochsWereReserved()
    {
        var host = await ReportHostAsync();
        var (running, stopped) = (await CreateVmAsync(host), await CreateVmAsync(host));
        await Vms.SetStateAsync(running, 1, VmState.Running, null, null, Cancellation);
        await Vms.SetStateAsync(stopped, 1, VmState.Stopped, null, null, Cancellation);
        var plan = Plan(running, source: host);
        await Operations.BeginAsync(plan, Cancellation);

        var lost = await DeclareDeadAsync(host);

        Assert.Equal([(running, 3L), (stopped, 2L)], lost.Select(vm => (vm.Info.Name, vm.Info.Epoch)));
        Assert.All(lost, vm => Assert.Equal(VmState.Lost, vm.Info.State));
        Assert.Equal(CommitOutcome.Refused, await Vms.CommitAsync(plan, Cancellation));
        Assert.False(await Vms.SetStateAsync(running, 1, VmState.Running, null, null, Cancellation));
        Assert.Null((await _ownership.FindOwnerAsync(running, Cancellation))!.Host);
        Assert.True(await _ownership.IsDeadAsync(host, Cancellation));
        Assert.Equal(HostState.Dead, (await Hosts.ListAsync(Cancellation)).Single(known => known.Name == host).State);
        Assert.Equal(lost.Select(vm => vm.Info), (await DeclareDeadAsync(host)).Select(vm => vm.Info));
    }

    /// <summary>Whoever saw it before and was held up since must not fence what runs there again.</summary>
    [Fact]
    public async Task DeclareDead_HostHasReportedSince_TakesNothing()
    {
        var host = await ReportHostAsync();
        var vm = await CreateVmAsync(host);
        var seen = await FindHostAsync(host);
        await Hosts.ReportAsync(seen with { LastSeen = seen.LastSeen.AddSeconds(10) }, Cancellation);

        Assert.Null(await _ownership.DeclareDeadAsync(host, seen.LastSeen, Cancellation));

        Assert.False(await _ownership.IsDeadAsync(host, Cancellation));
        Assert.Equal((1L, VmState.Starting), ((await Vms.FindAsync(vm, Cancellation))!.Info.Epoch, (await Vms.FindAsync(vm, Cancellation))!.Info.State));
    }

    [Fact]
    public async Task Return_AfterDeath_GivesBackWhatNobodyTookAndStopsOrFailsIt()
    {
        var host = await ReportHostAsync();
        var (running, stopped) = (await CreateVmAsync(host), await CreateVmAsync(host));
        var taken = await CreateLeasedAsync(host);
        await Vms.SetStateAsync(running, 1, VmState.Running, null, null, Cancellation);
        await Vms.SetStateAsync(stopped, 1, VmState.Stopped, null, null, Cancellation);
        await DeclareDeadAsync(host);
        Assert.NotNull(await _ownership.ClaimAsync(await SightAsync("host-b", taken), "host-b", Margin, Duration, Cancellation));

        var back = await _ownership.ReturnAsync(host, Cancellation);

        Assert.Equal([(running, VmState.Failed, 2L, 1L), (stopped, VmState.Stopped, 2L, 1L)], back.OrderBy(vm => vm.Info.Name).Select(vm => (vm.Info.Name, vm.Info.State, vm.Info.Epoch, vm.DiskEpoch)));
        Assert.False(await _ownership.IsDeadAsync(host, Cancellation));
        Assert.Equal("host-b", (await Vms.FindAsync(taken, Cancellation))!.Info.Host);
    }

    [Fact]
    public async Task StopLost_ThatWasToGoOnElsewhere_IsTakenByNobody()
    {
        var host = await ReportHostAsync();
        var name = await CreateLeasedAsync(host);
        await DeclareDeadAsync(host);
        var seen = await SightAsync("host-b", name);
        Assert.False(await _ownership.StopLostAsync(name, 1, Cancellation));
        Assert.True(await _ownership.StopLostAsync(name, 2, Cancellation));
        Assert.Null(await _ownership.ClaimAsync(seen, "host-b", Margin, Duration, Cancellation));
        Assert.Equal(VmState.Stopped, Assert.Single(await _ownership.ReturnAsync(host, Cancellation)).Info.State);
    }

    [Fact]
    public async Task ListForeignLeases_LostVm_OnlyWhatIsToGoOnElsewhere()
    {
        var host = await ReportHostAsync();
        var (plain, leased, stopped) = (await CreateVmAsync(host), await CreateLeasedAsync(host), await CreateLeasedAsync(host));
        await Vms.SetStateAsync(stopped, 1, VmState.Stopped, null, null, Cancellation);
        await DeclareDeadAsync(host);
        var listed = (await _ownership.ListForeignLeasesAsync("host-b", Cancellation)).Where(lease => lease.IsLost).Select(lease => lease.Vm.Info.Name).ToList();
        Assert.Contains(leased, listed);
        Assert.DoesNotContain(plain, listed);
        Assert.DoesNotContain(stopped, listed);
    }

    private async Task<IReadOnlyList<VmRecord>> DeclareDeadAsync(string host) =>
        (await _ownership.DeclareDeadAsync(host, (await FindHostAsync(host)).LastSeen, Cancellation))!;

    private async Task<HostInfo> FindHostAsync(string host) => (await Hosts.ListAsync(Cancellation)).Single(known => known.Name == host);

    private async Task<string> CreateLeasedAsync(string host = "host-a")
    {
        var vm = Vm(Unique("vm"), host);
        await Vms.CreateAsync(
            vm with { Info = vm.Info with { Restart = VmRestart.OnFailure }, Machine = vm.Machine with { HasLease = true } }, Cancellation);
        return vm.Info.Name;
    }

    private async Task<string> ReportHostAsync()
    {
        var name = Unique("dead-host");
        await Hosts.ReportAsync(
            new HostInfo(name, HostState.Ready, "192.0.2.1", 4, 1 << 30, 0, 0, "tcg", "7.2.0", "6.18", LiveMigration: true, null, "0.1.0", DateTimeOffset.UtcNow), Cancellation);
        return name;
    }

    private Task<IReadOnlyList<(string Vm, long Epoch)>> RenewAsync(string host, string vm, long epoch) =>
        _ownership.RenewLeasesAsync(host, [(vm, epoch)], Duration, Cancellation);

    private Task ExpireAsync(string vm, string ago = "10 minutes") =>
        ExecuteAsync($"UPDATE fabric.vm SET lease_until = clock_timestamp() - interval '{ago}' WHERE name = '{vm}'");

    private async Task<LeaseSighting> SightAsync(string host, string vm) =>
        (await _ownership.ListForeignLeasesAsync(host, Cancellation)).Single(lease => lease.Vm.Info.Name == vm);
}
