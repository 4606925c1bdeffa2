using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;
using Orleans.Serialization.Configuration;

namespace Architekt.Fabric.Client.Connection;

/// <summary>The Orleans client behind a <see cref="FabricClient"/>, in a container of its own. Connects when first used, and again after a failed attempt.</summary>
internal sealed class FabricConnection : IAsyncDisposable
{
    private static readonly TimeSpan _stopTimeout = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly IReadOnlyList<GatewayAddress> _gateways;
    private ServiceProvider? _services;
    private volatile IClusterClient? _cluster;
    private volatile bool _isDisposed;

    public FabricConnection(FabricClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
        _gateways = [.. options.Gateways.DefaultIfEmpty(FabricClientOptions.DefaultGateway).Select(GatewayAddress.Parse)];
    }

    public FabricClientOptions Options { get; }

    public ILoggerFactory LoggerFactory => Options.LoggerFactory ?? NullLoggerFactory.Instance;

    /// <summary>The connected client.</summary>
    public async ValueTask<IClusterClient> GetAsync(CancellationToken cancellationToken)
    {
        if (_cluster is { } connected) return connected;
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(FabricClient));
            return _cluster ??= await ConnectAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Makes one call and says in the fabric's words what went wrong.</summary>
    public async Task<T> CallAsync<T>(Func<IClusterClient, Task<T>> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(FabricClient));
        try
        {
            var cluster = await GetAsync(cancellationToken).ConfigureAwait(false);
            // The token also travels with the call, but a silo that hangs would not honour it.
            return await call(cluster).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (FabricErrors.Translate(error, this, cancellationToken) is { } translated)
        {
            throw translated;
        }
    }

    public Task<T> CallCatalogAsync<T>(Func<ICatalogGrain, Task<T>> call, CancellationToken cancellationToken) =>
        CallAsync(grains => call(grains.GetGrain<ICatalogGrain>(0)), cancellationToken);

    public Task<T> CallVmAsync<T>(string name, Func<IVmGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        FabricNames.Require(name, "VM");
        return CallAsync(grains => call(grains.GetGrain<IVmGrain>(name)), cancellationToken);
    }

    /// <summary>The gateways as the user named them.</summary>
    public string DescribeGateways() => string.Join(", ", _gateways);

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            _cluster = null;
            if (_services is not null) await CloseAsync(_services).ConfigureAwait(false);
            _services = null;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IClusterClient> ConnectAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Options.ConnectTimeout);
        var endpoints = await GatewayProbe.FindAsync(_gateways, Options.ConnectTimeout, cancellationToken).ConfigureAwait(false);
        var list = new GatewayList(endpoints);
        var services = Build(list, deadline.Token);
        try
        {
            foreach (var service in services.GetServices<IHostedService>())
                await service.StartAsync(deadline.Token).WaitAsync(deadline.Token).ConfigureAwait(false);
            list.OfferAll();
            _services = services;
            return services.GetRequiredService<IClusterClient>();
        }
        catch (Exception error)
        {
            // Stopping a client that never started may take as long as connecting; nobody should wait for it.
            _ = CloseAsync(services);
            cancellationToken.ThrowIfCancellationRequested();
            throw FabricException.Unavailable(
                $"The fabric cannot be reached: {DescribeGateways()} accepts connections but does not answer as a silo of cluster " +
                $"'{Options.ClusterId}' within {Options.ConnectTimeout.TotalSeconds:0.#} seconds. It may be starting, or the address or cluster id is wrong.",
                error);
        }
    }

    private ServiceProvider Build(GatewayList gateways, CancellationToken deadline)
    {
        var services = new ServiceCollection();
        services.AddSingleton(LoggerFactory);
        services.AddLogging();
        services.AddOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster =>
            {
                cluster.ClusterId = Options.ClusterId;
                cluster.ServiceId = FabricNames.ServiceId;
            });
            client.Configure<ClientMessagingOptions>(messaging =>
            {
                messaging.ResponseTimeout = Options.CallTimeout;
                messaging.CancelRequestOnTimeout = true;
            });
            client.Configure<ConnectionOptions>(connection => connection.OpenConnectionTimeout = Options.ConnectTimeout);
            client.Configure<GatewayOptions>(gateway => gateway.GatewayListRefreshPeriod = TimeSpan.FromSeconds(10));
            client.Services.AddSingleton<IGatewayListProvider>(gateways);
            client.AddMemoryStreams(FabricNames.EventStreamProvider);
            client.UseConnectionRetryFilter(async (_, cancellationToken) =>
            {
                if (deadline.IsCancellationRequested) return false;
                await Task.Delay(Options.RetryDelay, cancellationToken).ConfigureAwait(false);
                return !deadline.IsCancellationRequested;
            });
        });
        LeaveOutSilo(services);
        return services.BuildServiceProvider();
    }

    /// <summary>Streams bring the silo's own assembly along. Clients are sent nothing of what it has, and none should read about all of its types whenever it connects.</summary>
    private static void LeaveOutSilo(ServiceCollection services)
    {
        var manifests = services.Where(static service =>
            service.ServiceType == typeof(IConfigureOptions<TypeManifestOptions>) && service.ImplementationType?.Assembly.GetName().Name == "Orleans.Runtime");
        foreach (var manifest in manifests.ToList()) services.Remove(manifest);
    }

    private static async Task CloseAsync(ServiceProvider services)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_stopTimeout);
            foreach (var service in services.GetServices<IHostedService>().Reverse())
                await service.StopAsync(timeout.Token).WaitAsync(timeout.Token).ConfigureAwait(false);
            await services.DisposeAsync().AsTask().WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Leaving is best effort: the silos notice a client that is gone.
        }
    }
}
