using System.Diagnostics;

namespace Architekt.Fabric.Agents.Tests;

/// <summary>The client against the real agent.</summary>
public sealed class AgentClientTests : IAsyncDisposable
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    private readonly PortBridge _bridge = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _bridge.DisposeAsync();

    [Fact]
    public async Task PingAsync_AgentThere_TellsItsVersion()
    {
        using var agent = StartAgent();
        await using var client = await ConnectAsync();

        var reply = await client.PingAsync(_long, Cancellation);

        Assert.Equal("1", reply.Version);
    }

    [Fact]
    public async Task BeforeSuspendAsync_HookAgrees_GivesItsOutput()
    {
        using var agent = StartAgent("--before-suspend", "echo all quiet");
        await using var client = await ConnectAsync();

        Assert.Equal("all quiet", (await client.BeforeSuspendAsync(_long, Cancellation)).Output);
    }

    [Fact]
    public async Task BeforeSuspendAsync_HookRefuses_IsAVeto()
    {
        using var agent = StartAgent("--before-suspend", "echo a backup runs >&2; exit 3");
        await using var client = await ConnectAsync();

        var error = await Assert.ThrowsAsync<AgentException>(() => client.BeforeSuspendAsync(_long, Cancellation));

        Assert.Equal(AgentExceptionKind.Veto, error.Kind);
        Assert.EndsWith("exited with 3: a backup runs", error.Message);
        Assert.Equal("1", (await client.PingAsync(_long, Cancellation)).Version);
    }

    [Fact]
    public async Task BeforeSuspendAsync_HookTakesTooLong_IsToldApartFromSilence()
    {
        using var agent = StartAgent("--before-suspend", "sleep 3600", "--hook-timeout", "0.5");
        await using var client = await ConnectAsync();

        var error = await Assert.ThrowsAsync<AgentException>(() => client.BeforeSuspendAsync(_long, Cancellation));

        Assert.Equal(AgentExceptionKind.HookTimeout, error.Kind);
        Assert.Contains("500 ms", error.Message);
    }

    [Fact]
    public async Task AfterResumeAsync_ClockIsRight_LeavesItAlone()
    {
        // An agent of a test must never set this machine's clock, whatever goes wrong.
        using var agent = StartAgent("--after-resume", "echo back", "--clock-threshold", "3600000");
        await using var client = await ConnectAsync();

        var reply = await client.AfterResumeAsync(DateTimeOffset.UtcNow, _long, Cancellation);

        Assert.Equal((true, false, "back"), (reply.Ok, reply.ClockSet, reply.Output));
        Assert.InRange(reply.ClockOffsetNanoseconds!.Value, 0, 60_000_000_000);
    }

    [Fact]
    public async Task AfterResumeAsync_HookFails_IsFailedNotAVeto()
    {
        using var agent = StartAgent("--after-resume", "exit 1", "--clock-threshold", "3600000");
        await using var client = await ConnectAsync();

        var error = await Assert.ThrowsAsync<AgentException>(() => client.AfterResumeAsync(DateTimeOffset.UtcNow, _long, Cancellation));

        Assert.Equal(AgentExceptionKind.Failed, error.Kind);
        Assert.False(error.Reply!.Ok);
    }

    [Fact]
    public async Task ConnectAsync_AfterAnotherClientLeft_IsServed()
    {
        using var agent = StartAgent();
        for (var turn = 0; turn < 3; turn++)
        {
            await using var client = await ConnectAsync();
            Assert.True((await client.PingAsync(_long, Cancellation)).Ok);
        }
    }

    [Fact]
    public async Task PingAsync_ManyAtOnce_EachGetsItsOwnAnswer()
    {
        using var agent = StartAgent();
        await using var client = await ConnectAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.PingAsync(_long, Cancellation)));

        Assert.Equal(50, replies.Select(reply => reply.Id).Distinct().Count());
    }

    [Fact]
    public async Task PingAsync_NoAgentInTheGuest_TimesOut()
    {
        await using var client = await ConnectAsync();
        var clock = Stopwatch.StartNew();

        var error = await Assert.ThrowsAsync<AgentException>(() => client.PingAsync(TimeSpan.FromMilliseconds(200), Cancellation));

        Assert.Equal(AgentExceptionKind.Timeout, error.Kind);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.15, 30);
    }

    [Fact]
    public async Task WaitAsync_GuestComesUp_HearsIt()
    {
        var waiting = LivenessListener.WaitAsync(_bridge.HostPath, Cancellation);
        using var liveness = new GuestProgram("architekt-liveness", "--port", "unix:" + _bridge.GuestPath);

        var message = await waiting.WaitAsync(_long, Cancellation);

        Assert.True(message.Live);
        Assert.InRange(message.BootMs, 1, Environment.TickCount64);
    }

    private GuestProgram StartAgent(params string[] arguments) => new("architekt-agent", ["--port", "unix:" + _bridge.GuestPath, .. arguments]);

    private Task<AgentClient> ConnectAsync() => AgentClient.ConnectAsync(_bridge.HostPath, Cancellation);
}
