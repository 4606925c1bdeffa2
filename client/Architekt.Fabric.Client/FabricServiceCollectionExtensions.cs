using Architekt.Fabric.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the fabric's client.</summary>
public static class FabricServiceCollectionExtensions
{
    /// <summary>
    /// Registers one <see cref="FabricClient"/> for the whole application. It connects when it is first used and is disposed with the container.
    /// It keeps to itself: an application that is an Orleans silo or client of its own can use it too.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options; null takes the defaults.</param>
    public static IServiceCollection AddFabricClient(this IServiceCollection services, Action<FabricClientOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(provider =>
        {
            var options = new FabricClientOptions
            {
                LoggerFactory = provider.GetService<Logging.ILoggerFactory>(),
                TimeProvider = provider.GetService<TimeProvider>() ?? TimeProvider.System,
            };
            configure?.Invoke(options);
            return new FabricClient(options);
        });
    }
}
