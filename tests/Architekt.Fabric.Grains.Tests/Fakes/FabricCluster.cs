using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Architekt.Fabric.Grains.Tests.Fakes;

/// <summary>Silos host-a, host-b and so on in this process, with the fabric's grains over one fake world.</summary>
internal sealed class FabricCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;

    private FabricCluster(FakeWorld world, InProcessTestCluster cluster) => (World, _cluster) = (world, cluster);

    public FakeWorld World { get; }

    public IClusterClient Client => _cluster.Client;

    public InProcessTestCluster Orleans => _cluster;

    public static async Task<FabricCluster> StartAsync(short silos, Action<ISiloBuilder>? configure = null)
    {
        var world = new FakeWorld();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((options, silo) =>
        {
            var host = HostName(options.SiloName);
            silo.Services.PostConfigure<SiloOptions>(orleans => orleans.SiloName = host);
            silo.Services.AddLogging(static logging => logging.ClearProviders());
            silo.Services.AddSingleton(world);
            silo.Services.TryAddSingleton(TimeProvider.System);
            silo.Services.AddSingleton<IHostRuntime>(new FakeHostRuntime(world, host));
            silo.Services.AddSingleton<IPackageRuntime>(new FakePackageRuntime(world, host));
            silo.Services.AddSingleton<IVmStore, FakeVmStore>();
            silo.Services.AddSingleton<IOwnershipStore, FakeOwnershipStore>();
            silo.Services.AddSingleton<IOperationStore, FakeOperationStore>();
            silo.Services.AddSingleton<IDrainStore, FakeDrainStore>();
            silo.Services.AddSingleton<IHostStore, FakeHostStore>();
            silo.Services.AddSingleton<IEventLog, FakeEventLog>();
            silo.UseInMemoryReminderService();
            silo.AddMemoryGrainStorage(GrainServices.StorageName);
            silo.AddMemoryGrainStorage("PubSubStore");
            silo.AddMemoryStreams(FabricNames.EventStreamProvider);
            silo.AddFabricGrains();
            configure?.Invoke(silo);
        });
        var cluster = new FabricCluster(world, builder.Build());
        await cluster._cluster.DeployAsync();
        for (var index = 0; index < silos; index++)
        {
            var name = $"host-{(char)('a' + index)}";
            world.Database.Do(tables => tables.Hosts[name] = Samples.Host(name));
        }

        return cluster;
    }

    public IVmGrain Vm(string name) => Client.GetGrain<IVmGrain>(name);

    public IMigrationGrain Migration(string id) => Client.GetGrain<IMigrationGrain>(id);

    public IDrainGrain Drain(string id) => Client.GetGrain<IDrainGrain>(id);

    public ICatalogGrain Catalog => Client.GetGrain<ICatalogGrain>(0);

    public IReadOnlyList<(string Host, IGrainFactory Grains)> Silos =>
        [.. _cluster.Silos.Select(silo => (HostName(silo.Name), (IGrainFactory)silo.ServiceProvider.GetRequiredService<IGrainFactory>()))];

    public InProcessSiloHandle Silo(string host) => _cluster.Silos.Single(silo => HostName(silo.Name) == host);

    /// <summary>The host whose silo has an activation of the grain; null if none has.</summary>
    public string? WhereIs(IAddressable grain) =>
        _cluster.TryGetGrainContext(grain.GetGrainId(), out var context)
            ? _cluster.Silos.Where(silo => silo.SiloAddress.Equals(context.Address.SiloAddress)).Select(silo => HostName(silo.Name)).FirstOrDefault()
            : null;

    /// <summary>A running VM of its own for a test, without anything having been started.</summary>
    public string AddVm(string host = "host-a", VmState state = VmState.Running)
    {
        var name = $"vm-{Guid.NewGuid():N}"[..20];
        World.Database.Do(tables => tables.Vms[name] = Samples.Vm(name, host, state));
        if (state == VmState.Running) World.Runs(name, host, runs: true);
        return name;
    }

    public async Task<OperationInfo> MigrateAsync(string vm, string destination = "host-b", MigrationOptions? options = null, string? operation = null) =>
        await Vm(vm).MigrateAsync(
            new MigrationRequest(operation ?? $"op-{Guid.NewGuid():N}", destination, options ?? new MigrationOptions()), TestContext.Current.CancellationToken);

    public async Task<MigrationResult> ResultAsync(string operation)
    {
        MigrationResult? result = null;
        await Eventually.TrueAsync(
            async () => (result = await Catalog.FindMigrationResultAsync(operation, TestContext.Current.CancellationToken)) is not null,
            $"migration '{operation}' ends");
        return result!;
    }

    public async Task<MigrationResult> MigrateToTheEndAsync(string vm, string destination = "host-b", MigrationOptions? options = null) =>
        await ResultAsync((await MigrateAsync(vm, destination, options)).Id);

    public VmInfo Row(string vm) => World.Database.Do(tables => tables.Vms[vm].Info);

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    private static string HostName(string silo) => $"host-{(char)('a' + (char.IsDigit(silo[^1]) ? silo[^1] - '0' : 0))}";
}
