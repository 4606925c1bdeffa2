using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Streams;

namespace Architekt.Fabric.Client.Tests.Fakes;

/// <summary>A silo with fake grains on loopback ports of its own: the client is tested over the real wire. Can be stopped and started again.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly int _siloPort = FreePort();
    private IHost? _host;

    public FakeWorld World { get; } = new();

    public int GatewayPort { get; } = FreePort();

    public string Gateway => $"127.0.0.1:{GatewayPort}";

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static async Task<TestSilo> StartNewAsync(bool hasStream = true)
    {
        var silo = new TestSilo();
        await silo.StartAsync(hasStream);
        return silo;
    }

    public async Task StartAsync(bool hasStream = true)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(World);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(_siloPort, GatewayPort, primarySiloEndpoint: null, FabricNames.ServiceId, FabricNames.DefaultClusterId);
            silo.Configure<EndpointOptions>(endpoint => endpoint.AdvertisedIPAddress = IPAddress.Loopback);
            if (!hasStream) return;
            silo.AddMemoryStreams(FabricNames.EventStreamProvider);
            silo.AddMemoryGrainStorage("PubSubStore");
        });
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task StopAsync()
    {
        if (_host is null) return;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _host.StopAsync(timeout.Token);
        _host.Dispose();
        _host = null;
    }

    public Task PublishAsync(FabricEvent happened) =>
        _host!.Services.GetRequiredKeyedService<IStreamProvider>(FabricNames.EventStreamProvider)
            .GetStream<FabricEvent>(StreamId.Create(FabricNames.EventStreamNamespace, FabricNames.EventStreamKey)).OnNextAsync(happened);

    public FabricClientOptions Options(Action<FabricClientOptions>? configure = null)
    {
        // Long enough for a machine that is busy with other tests; those that are about the timeout set their own.
        var options = new FabricClientOptions { RetryDelay = TimeSpan.FromMilliseconds(50), ConnectTimeout = TimeSpan.FromMinutes(1) };
        options.Gateways.Add(Gateway);
        configure?.Invoke(options);
        return options;
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
