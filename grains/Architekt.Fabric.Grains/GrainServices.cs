using Microsoft.Extensions.DependencyInjection;

namespace Architekt.Fabric.Grains;

/// <summary>Registers what the fabric's grains need. The host supplies the stores and <see cref="IHostRuntime"/>.</summary>
public static class GrainServices
{
    /// <summary>Name of the grain storage for state that is a grain's own affair.</summary>
    public const string StorageName = "fabric";

    /// <summary>Adds placement and the grains' own services to a silo.</summary>
    public static ISiloBuilder AddFabricGrains(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<HostLocator>();
        silo.Services.AddSingleton<VmPlacer>();
        silo.Services.AddSingleton(static services => ActivatorUtilities.CreateInstance<HostFencing>(
            services, (Func<string, bool>)services.GetRequiredService<HostLocator>().IsAlive));
        silo.Services.AddSingleton<PackageSources>();
        silo.Services.AddSingleton<PackageEnsurer>();
        silo.Services.AddSingleton<TemporaryVm>();
        silo.AddIncomingGrainCallFilter<ErrorFilter>();
        silo.AddPlacementDirector<HostPinnedPlacement, HostPinnedDirector>();
        return silo;
    }
}
