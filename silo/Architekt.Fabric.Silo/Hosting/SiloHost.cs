using System.Net;
using Architekt.Fabric.Database;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Silo.Registry;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization;
using Orleans.Storage;

namespace Architekt.Fabric.Silo;

/// <summary>Builds the daemon of one host.</summary>
internal static class SiloHost
{
    private const string TestEnvironment = "Test";
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    public static async Task<WebApplication> BuildAsync(string[] args, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddSystemd();
        builder.Services.AddOptions<FabricOptions>().BindConfiguration(FabricOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<FabricOptions>, FabricOptionsValidator>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownLimit.Orderly);
        builder.Logging.AddSimpleConsole(static console => (console.SingleLine, console.TimestampFormat) = (true, "yyyy-MM-dd HH:mm:ss.fff "));
        // Its first look warns of a thread that has hung for as long as the machine is up.
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        builder.Logging.AddFilter("Orleans", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning).AddFilter("Microsoft", LogLevel.Warning).AddFilter("System.Net.Http", LogLevel.Warning);

        var options = Validated(builder);
        var paths = new HostPaths(Options.Create(options));
        paths.Create();
        using var early = LoggerFactory.Create(static logging => logging.AddSimpleConsole(static console => console.SingleLine = true));
        var logger = early.CreateLogger("Architekt.Fabric.Silo");
        var facts = await HostProbe.RunAsync(options, logger, cancellationToken);
        var packages = await PackageStore.OpenAsync(paths.Packages, early.CreateLogger<PackageStore>(), cancellationToken);
        var (connection, embedded) = await PostgresAsync(options, paths, logger, cancellationToken);
        await FabricSchema.EnsureAsync(connection.Fabric, logger, cancellationToken);

        builder.Services.AddSingleton(facts);
        builder.Services.AddSingleton(paths);
        builder.Services.AddSingleton(packages);

        // Now, so that a port that is taken ends the start; by a factory, so that the container disposes it.
        var server = PackageServer.Start(options, early.CreateLogger<PackageServer>());
        builder.Services.AddSingleton(_ => server);
        builder.Services.AddSingleton<IPackageRuntime, PackageHost>();
        builder.Services.AddSingleton(new MemoryLedger(options.HostName, facts.MemoryBytes));
        builder.Services.AddSingleton<KeptMemory>();
        builder.Services.AddSingleton<DiskExports>();
        builder.Services.AddSingleton<PeerSupervisor>();
        builder.Services.AddSingleton<LeaseKeeper>();
        builder.Services.AddSingleton<HostRuntime>();
        builder.Services.AddSingleton<VmStarter>();
        builder.Services.AddSingleton<OrphanProcesses>();
        builder.Services.AddSingleton<IHostRuntime>(static services => services.GetRequiredService<HostRuntime>());
        builder.Services.AddSingleton<EventRelay>();
        builder.Services.AddSingleton<IEventSink>(static services => services.GetRequiredService<EventRelay>());
        builder.Services.AddHostedService(static services => services.GetRequiredService<EventRelay>());
        builder.Services.AddHostedService<KeptMemoryService>();
        if (options.FaultGateFolder is { } gates) builder.Services.AddSingleton<IMigrationGate>(new MigrationFileGate(new FileGate(gates, TimeProvider.System)));
        builder.Services.AddFabricDatabase(connection);
        builder.UseOrleans(silo => ConfigureOrleans(silo, options, connection));

        // After Orleans, because they call grains.
        builder.Services.AddHostedService<HostReporter>();
        builder.Services.AddHostedService<Reconciler>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<LeaseKeeper>());
        builder.Services.AddHostedService<RestartService>();
        builder.Services.AddHostedService<TakeoverService>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var address = IPAddress.Parse(options.AdvertisedAddress);
            kestrel.Listen(address, options.HealthPort);
            if (!IPAddress.IsLoopback(address)) kestrel.ListenLocalhost(options.HealthPort);
        });

        var app = builder.Build();
        app.MapGet("/health", static (SiloHealth health) => health.IsJoined ? Results.Ok("joined") : Results.StatusCode(StatusCodes.Status503ServiceUnavailable));
        ShutdownLimit.Enforce(app.Lifetime, TimeProvider.System);
        if (embedded is not null) app.Lifetime.ApplicationStopped.Register(() => embedded.StopAsync(CancellationToken.None).GetAwaiter().GetResult());
        return app;
    }

    private static FabricOptions Validated(WebApplicationBuilder builder)
    {
        var options = Bound(builder.Configuration);
        var context = new System.ComponentModel.DataAnnotations.ValidationContext(options);
        var results = new List<System.ComponentModel.DataAnnotations.ValidationResult>();
        System.ComponentModel.DataAnnotations.Validator.TryValidateObject(options, context, results, validateAllProperties: true);
        var failures = results.Select(static result => result.ErrorMessage!)
            .Concat(new FabricOptionsValidator().Validate(null, options).Failures ?? [])
            .ToList();
        if (options.FaultGateFolder is not null && !builder.Environment.IsEnvironment(TestEnvironment))
            failures.Add($"Fabric:FaultGateFolder is for tests of the fabric only: it is refused unless ASPNETCORE_ENVIRONMENT is '{TestEnvironment}'.");
        if (failures.Count > 0) throw FabricException.Invalid(string.Join(" ", failures));
        builder.Services.AddSingleton<SiloHealth>();
        return options;
    }

    private static FabricOptions Bound(ConfigurationManager configuration)
    {
        try
        {
            return configuration.GetSection(FabricOptions.Section).Get<FabricOptions>() ?? new FabricOptions();
        }
        catch (InvalidOperationException error)
        {
            // The binder names the setting; what is wrong with its value is said by the cause.
            throw FabricException.Invalid($"{error.Message.TrimEnd('.')}: {(error.InnerException ?? error).Message}");
        }
    }

    private static async Task<(FabricConnection Connection, EmbeddedPostgres? Embedded)> PostgresAsync(
        FabricOptions options, HostPaths paths, ILogger logger, CancellationToken cancellationToken)
    {
        if (options.Postgres is { Length: > 0 } given) return (new FabricConnection(given), null);
        var embedded = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { StateFolder = paths.Postgres, Address = options.AdvertisedAddress, Port = options.EmbeddedPostgresPort },
            logger,
            cancellationToken);
        return (new FabricConnection(embedded.ConnectionString), embedded);
    }

    private static void ConfigureOrleans(ISiloBuilder silo, FabricOptions options, FabricConnection connection)
    {
        silo.Configure<SiloOptions>(orleans => orleans.SiloName = options.HostName);
        silo.Configure<ClusterOptions>(orleans => (orleans.ClusterId, orleans.ServiceId) = (options.ClusterId, FabricNames.ServiceId));
        silo.ConfigureEndpoints(IPAddress.Parse(options.AdvertisedAddress), options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: false);

        // Between fast detection and false eviction on busy hosts: an evicted silo ends its process.
        silo.Configure<ClusterMembershipOptions>(static orleans => (orleans.ProbeTimeout, orleans.NumMissedProbesLimit) = (ProbeTimeout, 3));
        silo.UseAdoNetClustering(orleans => (orleans.Invariant, orleans.ConnectionString) = ("Npgsql", connection.Orleans));
        silo.UseAdoNetReminderService(orleans => (orleans.Invariant, orleans.ConnectionString) = ("Npgsql", connection.Orleans));
        silo.AddAdoNetGrainStorage(GrainServices.StorageName, orleans => (orleans.Invariant, orleans.ConnectionString) = ("Npgsql", connection.Orleans));
        silo.UseSystemTextJsonGrainStorageSerializer();

        // In Orleans' own form: JSON can be written of what streams keep, and never be read again, so that after the death of a silo nobody heard of events any more.
        silo.AddAdoNetGrainStorage("PubSubStore", store => store.Configure<Serializer>((orleans, serializer) =>
            (orleans.Invariant, orleans.ConnectionString, orleans.GrainStorageSerializer) = ("Npgsql", connection.Orleans, new OrleansGrainStorageSerializer(serializer))));

        // One stream needs one queue. With the default of eight the agents that look into them ten times a second each take 5 % of a processor,
        // which belongs to guests.
        silo.AddMemoryStreams(FabricNames.EventStreamProvider, static streams => streams.ConfigurePartitioning(1));
        silo.AddFabricGrains();
    }
}
