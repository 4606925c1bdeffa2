using Architekt.Fabric.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Architekt.Fabric.Database;

/// <summary>Registers the stores.</summary>
public static class FabricDatabaseServices
{
    /// <summary>
    /// Adds <see cref="IVmStore"/>, <see cref="IOwnershipStore"/>, <see cref="IOperationStore"/>, <see cref="IDrainStore"/>, <see cref="IEventLog"/> and <see cref="IHostStore"/> over one
    /// <see cref="FabricDatabase"/>. They tell the registered <see cref="IEventSink"/> of what they record; without one, nobody.
    /// <see cref="FabricSchema.EnsureAsync"/> must have run before they are used.
    /// </summary>
    /// <exception cref="FabricException"><see cref="FabricErrorCode.InvalidArgument"/>: the connection string cannot be read.</exception>
    public static IServiceCollection AddFabricDatabase(this IServiceCollection services, string connectionString) =>
        services.AddFabricDatabase(new FabricConnection(connectionString));

    /// <summary>As the other overload, for a connection that is derived already.</summary>
    public static IServiceCollection AddFabricDatabase(this IServiceCollection services, FabricConnection connection)
    {
        services.AddSingleton(connection);
        services.AddSingleton<FabricDatabase>();
        services.AddSingleton<IVmStore, VmStore>();
        services.AddSingleton<IOwnershipStore, OwnershipStore>();
        services.AddSingleton<IOperationStore, OperationStore>();
        services.AddSingleton<IDrainStore, DrainStore>();
        services.AddSingleton<IEventLog, EventLog>();
        services.AddSingleton<IHostStore, HostStore>();
        services.TryAddSingleton<IEventSink, NoEventSink>();
        return services;
    }

    private sealed class NoEventSink : IEventSink
    {
        public void Publish(FabricEvent recorded)
        {
        }
    }
}
