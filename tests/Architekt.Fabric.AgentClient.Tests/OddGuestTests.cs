using Architekt.AgentProtocol;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>The client against guests that misbehave.</summary>
public sealed class OddGuestTests : IDisposable
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    private readonly ScriptedGuest _guest = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _guest.Dispose();

    [Fact]
    public async Task ConnectAsync_NoSocket_IsUnreachable()
    {
        var error = await Assert.ThrowsAsync<AgentException>(() => AgentClient.ConnectAsync("/no/such/socket", Cancellation));

        Assert.Equal(AgentExceptionKind.Unreachable, error.Kind);
        Assert.Contains("/no/such/socket", error.Message);
    }

    [Fact]
    public async Task ConnectAsync_PathTooLong_IsUnreachable() => Assert.Equal(
        AgentExceptionKind.Unreachable,
        (await Assert.ThrowsAsync<AgentException>(() => AgentClient.ConnectAsync("/" + new string('a', 200), Cancellation))).Kind);

    [Fact]
    public async Task PingAsync_NoiseBeforeTheAnswer_IsSkipped()
    {
        var noise = "login: \n\u0000\u0001\n" + new string('x', 200_000) + "\n[]\nnull\n{\"id\":1,\"ok\":true}\n{\"agent\":true,\"version\":\"1\"}\n{\"ok\":true}\n";
        var serving = _guest.ServeAsync(noise, request => $"{noise}{{\"id\":{request.Id},\"ok\":true,\"version\":\"7\"}}\n", Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);

        Assert.Equal("7", (await client.PingAsync(_long, Cancellation)).Version);
        Assert.False(serving.IsFaulted);
    }

    [Fact]
    public async Task PingAsync_AnswerInPieces_IsPutTogether()
    {
        var serving = _guest.ServeAsync("{\"agent\":", request => $"true}}\n{{\"id\":{request.Id},\"ok\":true}}\n", Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);

        Assert.True((await client.PingAsync(_long, Cancellation)).Ok);
        Assert.False(serving.IsFaulted);
    }

    [Fact]
    public async Task BeforeSuspendAsync_GuestHangsUp_IsUnreachable()
    {
        var serving = _guest.ServeAsync("", _ => null, Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);

        var error = await Assert.ThrowsAsync<AgentException>(() => client.BeforeSuspendAsync(_long, Cancellation));
        Assert.Equal(AgentExceptionKind.Unreachable, error.Kind);

        // And so is every call after it, at once.
        error = await Assert.ThrowsAsync<AgentException>(() => client.PingAsync(_long, Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.Equal(AgentExceptionKind.Unreachable, error.Kind);
        await serving;
    }

    [Theory]
    [InlineData("veto", AgentExceptionKind.Veto)]
    [InlineData("hookTimeout", AgentExceptionKind.HookTimeout)]
    [InlineData("failed", AgentExceptionKind.Failed)]
    [InlineData("unknownCall", AgentExceptionKind.Unsupported)]
    [InlineData("badRequest", AgentExceptionKind.Unsupported)]
    [InlineData("somethingNew", AgentExceptionKind.Failed)]
    public async Task BeforeSuspendAsync_Refused_HasTheKindOfItsCode(string code, AgentExceptionKind kind)
    {
        var serving = _guest.ServeAsync("", request => $"{{\"id\":{request.Id},\"ok\":false,\"code\":\"{code}\"}}\n", Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);

        var error = await Assert.ThrowsAsync<AgentException>(() => client.BeforeSuspendAsync(_long, Cancellation));

        Assert.Equal((kind, code), (error.Kind, error.Reply!.Code));
        Assert.False(serving.IsFaulted);
    }

    [Fact]
    public async Task AfterResumeAsync_Always_CarriesTimeAndFreshEntropy()
    {
        var requests = new List<AgentRequest>();
        var serving = _guest.ServeAsync(
            "",
            request =>
            {
                requests.Add(request);
                return $"{{\"id\":{request.Id},\"ok\":true}}\n";
            },
            Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);
        var now = DateTimeOffset.UnixEpoch.AddTicks(18_000_000_000_000_001);

        await client.AfterResumeAsync(now, TimeSpan.FromSeconds(10), Cancellation);
        await client.AfterResumeAsync(now, TimeSpan.FromSeconds(10), Cancellation);

        Assert.All(requests, request => Assert.Equal((1_800_000_000_000_000_100L, 8000L), (request.UnixTimeNanoseconds, request.TimeoutMs)));
        Assert.Equal(32, Convert.FromBase64String(requests[0].Entropy!).Length);
        Assert.NotEqual(requests[0].Entropy, requests[1].Entropy);
        Assert.False(serving.IsFaulted);
    }

    [Fact]
    public async Task PingAsync_Cancelled_IsCancelledAndTheNextCallWorks()
    {
        var silent = true;
        var serving = _guest.ServeAsync("", request => silent ? "" : $"{{\"id\":{request.Id},\"ok\":true}}\n", Cancellation);
        await using var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.PingAsync(_long, stop.Token));

        silent = false;
        Assert.True((await client.PingAsync(_long, Cancellation)).Ok);
        Assert.False(serving.IsFaulted);
    }

    [Fact]
    public async Task DisposeAsync_CallWaiting_FailsAsUnreachable()
    {
        var asked = new TaskCompletionSource();
        var serving = _guest.ServeAsync(
            "",
            _ =>
            {
                asked.SetResult();
                return "";
            },
            Cancellation);
        var client = await AgentClient.ConnectAsync(_guest.SocketPath, Cancellation);
        var ping = client.PingAsync(_long, Cancellation);
        await asked.Task.WaitAsync(_long, Cancellation);

        await client.DisposeAsync();

        Assert.Equal(AgentExceptionKind.Unreachable, (await Assert.ThrowsAsync<AgentException>(() => ping)).Kind);
        await serving;
    }

    [Fact]
    public async Task WaitAsync_GuestHangsUpWithoutTheMessage_IsUnreachable()
    {
        var serving = _guest.SayAndHangUpAsync("noise\n{\"live\":false}\n{\"live\":true", Cancellation);

        var error = await Assert.ThrowsAsync<AgentException>(() => LivenessListener.WaitAsync(_guest.SocketPath, Cancellation));

        Assert.Equal(AgentExceptionKind.Unreachable, error.Kind);
        await serving;
    }

    [Fact]
    public async Task WaitAsync_NobodySaysAnything_CanBeCancelled()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LivenessListener.WaitAsync(_guest.SocketPath, stop.Token));
    }
}
