using Architekt.Fabric.Client;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Hosts that are emptied, with real guests on them. There are 1 GiB for guests on each host.</summary>
[Collection<SharedHosts>]
public sealed class DrainTests(TwoHosts hosts) : IAsyncLifetime
{
    private static readonly string[] Movers = ["mover-a", "mover-b"];
    private static readonly string[] All = [.. Movers, TwoHosts.Vm];

    /// <summary>Of the host that is emptied, which lives on.</summary>
    private FabricClient? _connected;

    private FabricClient Fabric => _connected!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        hosts.Require();
        _connected = await hosts.ConnectAsync(Token, hosts.HostA);
        await hosts.MakeReadyAsync(Token);
        await hosts.BringAsync(hosts.HostA, Token);
        foreach (var (index, vm) in Movers.Index())
            await Fabric.RunVmAsync(new VmSpec(vm, TwoHosts.Ready, hosts.HostA.Name, Address: $"{hosts.Subnet}.{50 + index}/24"), Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connected is null) return;
        foreach (var host in hosts.Hosts) await Fabric.UncordonHostAsync(host.Name, CancellationToken.None);
        foreach (var vm in Movers) await hosts.DeleteAsync(vm, CancellationToken.None);
        await _connected.DisposeAsync();
    }

    [Fact]
    public async Task Drain_OneDoesNotFit_MovesTheOthersAndSaysWhichAndWhyAndCanBeRepeated()
    {
        // Room for the largest and one of the others.
        const string blocker = "blocker";
        await Fabric.RunVmAsync(new VmSpec(blocker, "redis", hosts.HostB.Name, MemoryBytes: 576L << 20, HasNetwork: false), Token);
        try
        {
            var drain = await Fabric.DrainHostAsync(hosts.HostA.Name, new DrainOptions(Parallel: 2), cancellationToken: Token);
            var result = await drain.WaitForCompletionAsync(Token);

            Assert.Equal((OperationOutcome.Failed, FabricErrorCode.NoCapacity), (result.Outcome, result.ErrorCode));
            Assert.Null(result.EvictionMs);
            var stayed = Assert.Single(result.Vms, static vm => vm.State != DrainedVmState.Moved);
            Assert.Equal(DrainedVmState.NoRoom, stayed.State);
            Assert.Contains("MiB of guest memory", stayed.Reason, StringComparison.Ordinal);
            Assert.Equal(hosts.HostA.Name, (await Fabric.GetVmAsync(stayed.Vm, Token)).Host);
            await AssertAllRunAsync();
            await AssertClosedAsync();
        }
        finally
        {
            await hosts.DeleteAsync(blocker, CancellationToken.None);
        }

        var again = await Fabric.DrainHostAsync(hosts.HostA.Name, cancellationToken: Token);
        var rest = await again.WaitForCompletionAsync(Token);

        Assert.True(rest.Outcome == OperationOutcome.Succeeded, rest.Reason);
        Assert.NotNull(rest.EvictionMs);
        Assert.All(All, vm => Assert.Contains(TwoHosts.Instances(hosts.HostB), name => name.StartsWith(vm + ".", StringComparison.Ordinal)));
        Assert.Empty(TwoHosts.Instances(hosts.HostA));
        await AssertAllRunAsync();
    }

    [Fact]
    public async Task Cancel_WhileOneMoves_ItIsRolledBackAndTheRestStays()
    {
        const string id = "drain-cancelled";
        DrainResult result;
        var gates = All.Select(vm => (Vm: vm, Gate: hosts.Hold($"{id}-{vm}-1", "Switch"))).ToList();
        try
        {
            var drain = await Fabric.DrainHostAsync(hosts.HostA.Name, new DrainOptions(Parallel: 1), id, Token);
            var moving = await UntilMovingAsync(drain, gates);
            await drain.CancelAsync(Token);
            var cancelling = $"Migration {id}-{moving}-1 is being cancelled in Switch";
            await TwoHosts.UntilAsync(() => Task.FromResult(hosts.Hosts.Any(host => host.HasLogged(cancelling))), "the migration is being cancelled", Token);
            gates.ForEach(static gate => gate.Gate.Dispose());
            result = await drain.WaitForCompletionAsync(Token);
        }
        finally
        {
            gates.ForEach(static gate => gate.Gate.Dispose());
        }

        Assert.Equal(OperationOutcome.Cancelled, result.Outcome);
        Assert.All(result.Vms, static vm => Assert.Equal(DrainedVmState.Stayed, vm.State));
        Assert.Equal(All, result.Vms.Select(static vm => vm.Vm));
        await TwoHosts.UntilNothingIsOnAsync(hosts.HostB, Token);
        await AssertAllRunAsync();
        await AssertClosedAsync();
    }

    [Fact]
    public async Task DestinationDies_HalfWay_DrainSaysSoAndEveryGuestLivesOnWhereItIs()
    {
        const string id = "drain-halved";
        var gate = hosts.Hold($"{id}-mover-b-1", "Switch");
        try
        {
            // The largest goes first, the others by name.
            var drain = await Fabric.DrainHostAsync(hosts.HostA.Name, new DrainOptions(Parallel: 1), id, Token);
            await gate.UntilReachedAsync(Token);
            await hosts.HostB.KillAsync();
            Assert.True(TwoHosts.Peer(hosts.HostB, "mover-b.2").Kill(ProcessSignal.Kill));
            gate.Dispose();
            var result = await drain.WaitForCompletionAsync(Token);

            Assert.Equal((OperationOutcome.Failed, FabricErrorCode.Failed), (result.Outcome, result.ErrorCode));
            Assert.Equal(
                [("mover-a", DrainedVmState.Moved), ("mover-b", DrainedVmState.Failed), (TwoHosts.Vm, DrainedVmState.Moved)],
                result.Vms.Select(static vm => (vm.Vm, vm.State)));
            await hosts.AssertGuestAnswersAsync(await Fabric.GetVmAsync("mover-b", Token), Token);
        }
        finally
        {
            gate.Dispose();
            if (!hosts.HostB.IsRunning) await hosts.HostB.StartAsync(Token);
        }

        // What had arrived there was never paused, and is found again.
        await TwoHosts.UntilAsync(async () => (await Fabric.ListVmsAsync(Token)).All(static vm => vm.State == VmState.Running), "all are shown as running", Token);
        await AssertAllRunAsync();
        Assert.Equal(hosts.HostA.Name, (await Fabric.GetVmAsync("mover-b", Token)).Host);
        await TwoHosts.UntilAsync(() => Task.FromResult(!TwoHosts.InstancesOf(hosts.HostB, "mover-b").Any()), "nothing is left of the half move", Token);
    }

    [Fact]
    public async Task Cordon_RefusesNewVmsAndMigrationsUntilItIsUndone()
    {
        await Fabric.CordonHostAsync(hosts.HostA.Name, Token);
        await AssertClosedAsync();
        await AssertAllRunAsync();
        await Fabric.CordonHostAsync(hosts.HostB.Name, Token);
        var closed = await Assert.ThrowsAsync<FabricException>(() => Fabric.StartMigrationAsync("mover-a", hosts.HostB.Name, cancellationToken: Token));
        Assert.Equal(FabricErrorCode.Conflict, closed.Code);

        await Fabric.UncordonHostAsync(hosts.HostB.Name, Token);
        await hosts.MigrateAsync("mover-a", hosts.HostB.Name, options: null, Token);
    }

    /// <summary>Host-a takes nothing new, by its name or by choice.</summary>
    private async Task AssertClosedAsync()
    {
        Assert.True((await Fabric.ListHostsAsync(Token)).Single(host => host.Name == hosts.HostA.Name).IsCordoned);
        var refusal = await Assert.ThrowsAsync<FabricException>(
            () => Fabric.RunVmAsync(new VmSpec("refused", TwoHosts.Ready, hosts.HostA.Name, Address: $"{hosts.Subnet}.59/24"), Token));
        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        Assert.Contains("cordoned", refusal.Message, StringComparison.Ordinal);
        Assert.Null(await Fabric.FindVmAsync("refused", Token));
    }

    private async Task AssertAllRunAsync()
    {
        foreach (var name in All)
        {
            var vm = await Fabric.GetVmAsync(name, Token);
            Assert.Equal((name, VmState.Running), (vm.Name, vm.State));
            await hosts.AssertGuestAnswersAsync(vm, Token);
        }
    }

    /// <summary>The VM that is held before it is switched over.</summary>
    private static async Task<string> UntilMovingAsync(DrainOperation drain, List<(string Vm, OperationGate Gate)> gates)
    {
        await foreach (var progress in drain.WatchAsync(cancellationToken: Token))
        {
            Assert.Null(progress.Result);
            if (progress.Vms.FirstOrDefault(static vm => vm.State == DrainedVmState.Moving) is not { } moving) continue;
            await gates.Single(gate => gate.Vm == moving.Vm).Gate.UntilReachedAsync(Token);
            return moving.Vm;
        }

        throw new InvalidOperationException($"Drain '{drain.Id}' ended without having moved anything.");
    }
}
