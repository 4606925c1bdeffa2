using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Vms;

/// <summary>A host that an operator says is off, and what can be done with its VMs then.</summary>
public sealed class DeclareDeadTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DeclareDead_SiloIsAMember_IsRefusedAndTakesNothing()
    {
        await using var cluster = await FabricCluster.StartAsync(2);
        var vm = cluster.AddVm("host-b");

        var refusal = await Assert.ThrowsAsync<FabricException>(() => cluster.Catalog.DeclareHostDeadAsync("host-b", Cancellation));

        Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        Assert.Equal((VmState.Running, 1L), (cluster.Row(vm).State, cluster.Row(vm).Epoch));
    }

    [Fact]
    public async Task DeclareDead_UnknownHost_IsNotFound()
    {
        await using var cluster = await FabricCluster.StartAsync(1);
        Assert.Equal(FabricErrorCode.NotFound, (await Assert.ThrowsAsync<FabricException>(() => cluster.Catalog.DeclareHostDeadAsync("host-z", Cancellation))).Code);
    }

    [Fact]
    public async Task DeclareDead_HostIsGone_ItsVmsAreLostAndCanBeDeletedAnywhere()
    {
        await using var cluster = await FabricCluster.StartAsync(1);
        cluster.World.Database.Do(tables => tables.Hosts["host-z"] = Samples.Host("host-z"));
        var vm = cluster.AddVm("host-z");
        Assert.Equal(VmState.Unknown, (await cluster.Catalog.FindVmAsync(vm, Cancellation))!.State);

        var death = await cluster.Catalog.DeclareHostDeadAsync("host-z", Cancellation);

        Assert.Equal([vm], death.Lost);
        Assert.Equal((VmState.Lost, 2L), (cluster.Row(vm).State, cluster.Row(vm).Epoch));
        Assert.Null((await cluster.Catalog.FindOwnerAsync(vm, Cancellation))!.Host);
        Assert.Equal(HostState.Dead, (await cluster.Catalog.ListHostsAsync(Cancellation)).Single(host => host.Name == "host-z").State);
        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => cluster.Vm(vm).StartAsync(Cancellation))).Code);
        await cluster.Vm(vm).DeleteAsync(force: false, Cancellation);
        Assert.Null(await cluster.Catalog.FindVmAsync(vm, Cancellation));
    }

    [Fact]
    public async Task Stop_LostVm_IsStoppedSoThatNobodyTakesItOver()
    {
        await using var cluster = await FabricCluster.StartAsync(1);
        cluster.World.Database.Do(tables => tables.Hosts["host-z"] = Samples.Host("host-z"));
        var vm = cluster.AddVm("host-z");
        await cluster.Catalog.DeclareHostDeadAsync("host-z", Cancellation);

        Assert.Equal(VmState.Lost, (await cluster.Vm(vm).StopAsync(force: false, Cancellation)).State);
        Assert.Equal(["db:StopLost"], cluster.World.Journal(vm));
    }
}
