using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Peers.Tests;

public sealed class PeerClientTests : IAsyncLifetime
{
    private readonly TestHost _host = new();
    private WebApplication _server = null!;
    private PeerClient _client = null!;

    /// <summary>What the server answers everything with.</summary>
    private RequestDelegate _answer = static _ => Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(_host[PeerApi.SocketName]));
        _server = builder.Build();
        _server.Run(context => _answer(context));
        await _server.StartAsync(TestContext.Current.CancellationToken);
        _client = new PeerClient(_host.Path);
    }

    [Fact]
    public async Task Call_Answered_GivesTheAnswerAndAsksOnTheRightPath()
    {
        string? asked = null;
        _answer = context =>
        {
            asked = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}";
            return context.Response.WriteAsync("""{"version":8,"isConverged":true,"counters":{"rounds":2},"remainingBytes":5}""");
        };

        var transfer = await _client.GetTransferAsync(7, TestContext.Current.CancellationToken);

        Assert.Equal("GET /v2/transfer?after=7", asked);
        Assert.Equal((8, true, 2, 5), (transfer.Version, transfer.IsConverged, transfer.Counters.Rounds, transfer.RemainingBytes));
    }

    [Theory]
    [InlineData("StaleEpoch")]
    [InlineData("SomethingNew")]
    public async Task Call_Refused_KeepsCodeAndSentence(string code)
    {
        _answer = context => AnswerAsync(context, 409, $$"""{"code":"{{code}}","message":"It is so."}""");

        var error = await Assert.ThrowsAsync<PeerCallException>(() => _client.BootAsync(3, TestContext.Current.CancellationToken));

        Assert.Equal((code, "It is so.", false), (error.Code, error.Message, error.IsUnavailable));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("null")]
    public async Task Call_OddErrorBody_SaysTheStatusAndIsNotTriedAgain(string body)
    {
        _answer = context => AnswerAsync(context, 404, body);

        var error = await Assert.ThrowsAsync<PeerCallException>(() => _client.GetStatusAsync(TestContext.Current.CancellationToken));

        Assert.Equal((null, "The peer answered 404.", false), (error.Code, error.Message, error.IsUnavailable));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    public async Task Call_OddAnswer_IsUnavailable(string body)
    {
        _answer = context => AnswerAsync(context, 200, body);

        await RequireUnavailableAsync();
    }

    [Fact]
    public async Task Call_ConnectionCutInTheAnswer_IsUnavailable()
    {
        _answer = async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{");
            context.Abort();
        };

        await RequireUnavailableAsync();
    }

    [Fact]
    public async Task Call_NobodyListens_IsUnavailableAndNamesTheSocket()
    {
        await _server.StopAsync(TestContext.Current.CancellationToken);
        using var client = new PeerClient(_host["nowhere"]);

        var error = await Assert.ThrowsAsync<PeerCallException>(() => client.GetStatusAsync(TestContext.Current.CancellationToken));

        Assert.True(error.IsUnavailable);
        Assert.StartsWith($"The peer at '{_host["nowhere"]}/peer.sock' does not answer: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_Cancelled_EndsAsCancelled()
    {
        using var ending = new CancellationTokenSource();
        _answer = async context =>
        {
            await ending.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetStatusAsync(ending.Token));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _host.Dispose();
    }

    private static Task AnswerAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }

    private async Task RequireUnavailableAsync()
    {
        var error = await Assert.ThrowsAsync<PeerCallException>(() => _client.GetStatusAsync(TestContext.Current.CancellationToken));
        Assert.Equal((null, true), (error.Code, error.IsUnavailable));
    }
}
