using System.Globalization;
using Architekt.Fabric.Client;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <content>Guests: the one that is always there, and others that are there at once.</content>
public sealed partial class TwoHosts
{
    /// <summary>A package with memory that both hosts have, with a network card, half as large as the guest it was made of; see <see cref="MakeReadyAsync"/>.</summary>
    internal const string Ready = "ready";

    internal const long ReadyMemoryBytes = 128L << 20;
    private bool _isReady;

    /// <summary>Makes <see cref="Ready"/> the first time. VMs that are run from it are resumed and need not boot.</summary>
    internal async Task MakeReadyAsync(CancellationToken cancellationToken)
    {
        if (_isReady) return;
        var recipe = new PackageRecipe("redis", Ready, HostA.Name) { MemoryBytes = ReadyMemoryBytes, Address = $"{Subnet}.9/24" };
        var made = await Fabric.CreatePackageAsync(recipe, cancellationToken);
        Assert.True(made.Outcome == OperationOutcome.Succeeded, made.Reason);
        await Fabric.PullPackageAsync(HostB.Name, made.Package!.Digest, Ready, cancellationToken: cancellationToken);
        _isReady = true;
    }

    /// <summary>Brings the guest to a host, if it is not there.</summary>
    internal async Task BringAsync(SiloProcess host, CancellationToken cancellationToken)
    {
        if ((await Fabric.GetVmAsync(Vm, cancellationToken)).Host != host.Name) await MigrateAsync(Vm, host.Name, options: null, cancellationToken);
    }

    /// <summary>A migration that must succeed, and after which the guest must answer.</summary>
    internal async Task<MigrationResult> MigrateAsync(string vm, string destination, MigrationOptions? options, CancellationToken cancellationToken)
    {
        var migration = await Fabric.StartMigrationAsync(vm, destination, options, cancellationToken: cancellationToken);
        var result = await migration.WaitForCompletionAsync(cancellationToken);
        Assert.True(result.Outcome == OperationOutcome.Succeeded, result.Reason);
        var after = await Fabric.GetVmAsync(vm, cancellationToken);
        if (after.State == VmState.Running) await AssertGuestAnswersAsync(after, cancellationToken);
        return result;
    }

    /// <summary>An operation with this id is held before an act of its driver, or at a point within the source's peer.</summary>
    internal OperationGate Hold(string operation, string point) => new(Gates, operation, point);

    internal static async Task UntilCopyingAsync(MigrationOperation migration, CancellationToken cancellationToken)
    {
        await foreach (var progress in migration.WatchAsync(cancellationToken: cancellationToken))
        {
            Assert.True(progress.Result is null, $"It ended before it was seen copying: {progress.Result?.Reason}");
            if (progress is { Phase: MigrationPhase.Copy, Transfer.MemoryBytes: > 0 }) return;
        }
    }

    /// <summary>The agent in the guest answers on its port: the guest runs, and nowhere else but here.</summary>
    internal async Task AssertGuestAnswersAsync(VmInfo vm, CancellationToken cancellationToken)
    {
        var port = Path.Combine(Of(vm.Host).RuntimeFolder, $"{vm.Name}.{vm.Epoch}", PeerApi.QemuFolder, "agent.sock");
        await using var agent = await Agents.AgentClient.ConnectAsync(port, cancellationToken);
        var answer = await agent.PingAsync(TimeSpan.FromSeconds(30), cancellationToken);
        Assert.True(answer.Ok);
    }

    /// <summary>Nothing of a VM is left but the instance of its owner.</summary>
    internal Task UntilOnlyTheOwnerIsLeftAsync(VmInfo vm, CancellationToken cancellationToken) => UntilAsync(
        () => Task.FromResult(Hosts.All(host =>
            InstancesOf(host, vm.Name).SequenceEqual(host.Name == vm.Host ? [$"{vm.Name}.{vm.Epoch}"] : []) && Disks(host, vm.Name).Any() == (host.Name == vm.Host))),
        $"nothing but '{vm.Name}' with epoch {vm.Epoch} on {vm.Host} is left",
        cancellationToken);

    /// <summary>No instance is left on a host.</summary>
    internal static Task UntilNothingIsOnAsync(SiloProcess host, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(Instances(host).Count == 0), $"{host.Name} is clean", cancellationToken);

    /// <summary>Names of the instance folders of a VM on a host.</summary>
    internal static IEnumerable<string> InstancesOf(SiloProcess host, string vm) =>
        Instances(host).Where(name => name.StartsWith(vm + ".", StringComparison.Ordinal));

    internal static ProcessIdentity Qemu(SiloProcess host, string instance)
    {
        var identity = Identity(host, instance);
        return new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
    }

    internal static ProcessIdentity Peer(SiloProcess host, string instance)
    {
        var identity = Identity(host, instance);
        return new ProcessIdentity(identity.PeerPid, identity.PeerStartTicks);
    }

    /// <summary>Processor time QEMU takes within a second, in clock ticks (proc(5)); housekeeping of a guest that stands still is none.</summary>
    internal static async Task<long> ProcessorTicksAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        var before = Read();
        await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        return Math.Max(0, Read() - before - 2);

        long Read()
        {
            if (!process.IsAlive()) return 0;
            var stat = File.ReadAllText($"/proc/{process.Pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Ends and forgets a VM, if it is there.</summary>
    internal async Task DeleteAsync(string vm, CancellationToken cancellationToken)
    {
        if (await Fabric.FindVmAsync(vm, cancellationToken) is not null) await Fabric.DeleteVmAsync(vm, force: true, cancellationToken);
    }

    /// <summary>Removes a package from a host, if it has it. One that a killed reader still holds, for a minute, goes with the fabric.</summary>
    internal async Task ForgetAsync(SiloProcess host, string package, CancellationToken cancellationToken)
    {
        if (await Fabric.FindPackageAsync(host.Name, package, cancellationToken) is not { } known) return;
        try
        {
            await Fabric.DeletePackageAsync(host.Name, known.Digest, cancellationToken);
        }
        catch (FabricException used) when (used.Code == FabricErrorCode.Conflict)
        {
        }
    }
}
