using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Client.Tests.Fakes;
using Microsoft.Extensions.DependencyInjection;

namespace Architekt.Fabric.Client.Tests.Connection;

public sealed class ConnectTests
{
    private static readonly TimeSpan _promise = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task ConnectAsync_NothingListens_FailsAtOnceAndNamesTheGateways()
    {
        var options = Options($"127.0.0.1:{TestSilo.FreePort()}", $"localhost:{TestSilo.FreePort()}");
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<FabricException>(() => FabricClient.ConnectAsync(options, TestContext.Current.CancellationToken));

        Assert.True(watch.Elapsed < _promise, $"It took {watch.Elapsed}.");
        Assert.Equal((FabricErrorCode.Unavailable, true), (error.Code, error.IsTransient));
        Assert.All(options.Gateways, gateway => Assert.Contains($"{gateway} (connection refused)", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ConnectAsync_NameDoesNotExist_SaysSo()
    {
        var error = await Assert.ThrowsAsync<FabricException>(
            () => FabricClient.ConnectAsync(Options("no-such-host.invalid:30000"), TestContext.Current.CancellationToken));

        Assert.Equal(FabricErrorCode.Unavailable, error.Code);
        Assert.Contains("no-such-host.invalid:30000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_ListenerIsNoSilo_FailsWithinTheTimeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = Options(listener.LocalEndpoint.ToString()!);
        options.ConnectTimeout = TimeSpan.FromSeconds(2);
        var watch = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<FabricException>(() => FabricClient.ConnectAsync(options, TestContext.Current.CancellationToken));

        // Orleans left to itself would go on for minutes; a busy machine needs some seconds to start its client.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"It took {watch.Elapsed}.");
        Assert.Equal(FabricErrorCode.Unavailable, error.Code);
        Assert.Contains("does not answer as a silo", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_Cancelled_StopsTrying()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        cancel.CancelAfter(200);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FabricClient.ConnectAsync(Options(listener.LocalEndpoint.ToString()!), cancel.Token));
    }

    [Fact]
    public async Task ConnectAsync_OneGatewayIsDead_UsesTheOther()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var options = Options($"127.0.0.1:{TestSilo.FreePort()}", silo.Gateway);
        options.ConnectTimeout = TimeSpan.FromMinutes(1);

        await using var client = await FabricClient.ConnectAsync(options, TestContext.Current.CancellationToken);

        Assert.Empty(await client.ListVmsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ConnectAsync_OtherClusterId_FailsWithinTheTimeout()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var options = silo.Options(options =>
        {
            options.ClusterId = "another";
            options.ConnectTimeout = TimeSpan.FromSeconds(2);
        });

        var error = await Assert.ThrowsAsync<FabricException>(() => FabricClient.ConnectAsync(options, TestContext.Current.CancellationToken));

        Assert.Contains("'another'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddFabricClient_FirstUse_Connects()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var services = new ServiceCollection();
        services.AddFabricClient(options =>
        {
            options.Gateways.Add(silo.Gateway);
            options.ConnectTimeout = TimeSpan.FromMinutes(1);
        });
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<FabricClient>();

        Assert.Empty(await client.ListVmsAsync(TestContext.Current.CancellationToken));
        Assert.Same(client, provider.GetRequiredService<FabricClient>());
    }

    [Fact]
    public async Task AnyCall_FabricWasDownAtFirst_SucceedsLater()
    {
        await using var silo = new TestSilo();
        await using var client = new FabricClient(silo.Options());
        await Assert.ThrowsAsync<FabricException>(() => client.ListVmsAsync(TestContext.Current.CancellationToken));

        await silo.StartAsync();

        Assert.Empty(await client.ListVmsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Constructor_TimeoutOfZero_IsRefused() =>
        Assert.Throws<FabricException>(() => new FabricClient(new FabricClientOptions { ConnectTimeout = TimeSpan.Zero }));

    private static FabricClientOptions Options(params string[] gateways)
    {
        var options = new FabricClientOptions();
        foreach (var gateway in gateways) options.Gateways.Add(gateway);
        return options;
    }
}
