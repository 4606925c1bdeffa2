using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Architekt.Fabric.Database.Tests;

/// <summary>A silo that knows of others only through the database.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _isStarted;

    private TestSilo(IHost host) => _host = host;

    internal IServiceProvider Services => _host.Services;

    public async ValueTask DisposeAsync()
    {
        // A silo that is disposed of while it runs takes its whole process down.
        if (_isStarted) await _host.StopAsync();
        _host.Dispose();
    }

    internal static async Task<TestSilo> StartAsync(string name, string cluster, string connectionString, CancellationToken cancellationToken)
    {
        var silo = Create(name, cluster, connectionString);
        silo._isStarted = true;
        await silo._host.StartAsync(cancellationToken);
        return silo;
    }

    /// <summary>With all its services, but not started.</summary>
    internal static TestSilo Create(string name, string cluster, string connectionString)
    {
        var orleans = new FabricConnection(connectionString).Orleans;
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.UseOrleans(silo => silo
            .UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = ("Npgsql", orleans))
            .AddAdoNetGrainStorage("state", options => (options.Invariant, options.ConnectionString) = ("Npgsql", orleans))
            .UseAdoNetReminderService(options => (options.Invariant, options.ConnectionString) = ("Npgsql", orleans))
            .ConfigureEndpoints(IPAddress.Loopback, FreePort(), FreePort(), listenOnAnyHostAddress: false)
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster, cluster))
            .Configure<SiloOptions>(options => options.SiloName = name)
            .Configure<ReminderOptions>(options => options.MinimumReminderPeriod = TimeSpan.FromSeconds(1))
            .Configure<ClusterMembershipOptions>(options =>
            {
                options.ProbeTimeout = TimeSpan.FromSeconds(2);
                options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
                options.NumVotesForDeathDeclaration = 1;
            })
            .UseSystemTextJsonGrainStorageSerializer());
        return new TestSilo(builder.Build());
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
