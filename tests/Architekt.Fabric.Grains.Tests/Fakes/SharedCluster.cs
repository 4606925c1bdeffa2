[assembly: AssemblyFixture(typeof(Architekt.Fabric.Grains.Tests.Fakes.SharedCluster))]

// One test may take Postgres away from all silos, and two processors are soon busy with three of them.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>Three silos for all tests that kill none; each test brings a VM of its own.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    internal FabricCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await FabricCluster.StartAsync(silos: 3);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
