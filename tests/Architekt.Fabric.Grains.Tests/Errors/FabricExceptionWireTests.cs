using Architekt.Fabric.Grains.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Architekt.Fabric.Grains.Tests.Errors;

public sealed class FabricExceptionWireTests(SharedCluster shared)
{
    public static TheoryData<FabricErrorCode, bool> Codes =>
        [.. Enum.GetValues<FabricErrorCode>().SelectMany(static code => new (FabricErrorCode, bool)[] { (code, false), (code, true) })];

    [Theory]
    [MemberData(nameof(Codes))]
    public void FabricException_OverTheWire_KeepsCodeMessageAndFlag(FabricErrorCode code, bool isTransient)
    {
        var serializer = shared.Cluster.Client.ServiceProvider.GetRequiredService<Serializer>();

        var copy = serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(new FabricException(code, "one sentence", isTransient)));

        var error = Assert.IsType<FabricException>(copy);
        Assert.Equal((code, "one sentence", isTransient), (error.Code, error.Message, error.IsTransient));
    }

    [Fact]
    public async Task FabricException_ThrownByAHostTwoSilosAway_ArrivesWhole()
    {
        var vm = shared.Cluster.AddVm("host-c");
        shared.Cluster.World.Throw(vm, "ReadLog", new FabricException(FabricErrorCode.StaleEpoch, "epoch 1 is not the owner's", isTransient: true));
        var grain = shared.Cluster.Silos.Single(silo => silo.Host == "host-a").Grains.GetGrain<IVmGrain>(vm);

        var error = await Assert.ThrowsAsync<FabricException>(() => grain.ReadLogAsync(0, 0, TestContext.Current.CancellationToken));

        Assert.Equal((FabricErrorCode.StaleEpoch, "epoch 1 is not the owner's", true), (error.Code, error.Message, error.IsTransient));
    }
}
