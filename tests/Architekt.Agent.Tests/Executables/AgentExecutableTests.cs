using Architekt.AgentProtocol;

namespace Architekt.Agent.Tests.Executables;

public sealed class AgentExecutableTests : IDisposable
{
    private readonly HostSocket _host = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Agent_HostConnects_GreetsAndAnswers()
    {
        using var agent = new GuestProcess("architekt-agent", "--port", _host.Port, "--before-suspend", "echo ready for $ARCHITEKT_CALL");
        using var host = await _host.AcceptAsync(Cancellation);

        Assert.Equal("""{"agent":true,"version":"1"}""", await host.ReadAsync(Cancellation));
        var reply = await host.AskAsync("""{"id":1,"call":"beforeSuspend"}""", Cancellation);
        Assert.StartsWith("""{"id":1,"ok":true,"output":"ready for beforeSuspend","elapsedMs":""", reply);
    }

    [Fact]
    public async Task Agent_GarbageAndOverlongLines_AreAnsweredAndItGoesOn()
    {
        using var agent = new GuestProcess("architekt-agent", "--port", _host.Port);
        using var host = await _host.AcceptAsync(Cancellation);
        await host.ReadAsync(Cancellation);

        Assert.Contains("\"code\":\"badRequest\"", await host.AskAsync("\u0001\u0002 what?", Cancellation));
        Assert.Contains($"longer than {AgentLimits.MaxLineBytes} bytes", await host.AskAsync(new string('{', 1_000_000), Cancellation));
        Assert.Contains("\"id\":9,\"ok\":true", await host.AskAsync("\n \r\n{\"id\":9,\"call\":\"ping\"}", Cancellation));
    }

    [Fact]
    public async Task Agent_HostLeavesInTheMiddleOfALine_TheNextHostIsServed()
    {
        using var agent = new GuestProcess("architekt-agent", "--port", _host.Port);
        using (var first = await _host.AcceptAsync(Cancellation))
        {
            await first.ReadAsync(Cancellation);
            await first.AskAsync("{\"id\":1,\"call\":\"ping\"}\n{\"id\":2,\"ca", Cancellation);
        }

        using var second = await _host.AcceptAsync(Cancellation);
        Assert.Equal("""{"agent":true,"version":"1"}""", await second.ReadAsync(Cancellation));
        Assert.Contains("\"id\":3,\"ok\":true", await second.AskAsync("""{"id":3,"call":"ping"}""", Cancellation));
    }

    [Fact]
    public async Task Agent_NobodyThereForAWhile_UsesNextToNoCpuAndStaysAlive()
    {
        using var agent = new GuestProcess("architekt-agent", "--port", _host.Port);
        using (var first = await _host.AcceptAsync(Cancellation))
        {
            await first.ReadAsync(Cancellation);
            await first.AskAsync("""{"id":1,"call":"ping"}""", Cancellation);
        }

        // Hosts that come, say nothing and leave are what a busy loop would be made of.
        var before = agent.CpuTime;
        var connections = 0;
        using (var window = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            window.CancelAfter(TimeSpan.FromSeconds(3));
            try
            {
                while (true)
                {
                    using var host = await _host.AcceptAsync(window.Token);
                    connections++;
                }
            }
            catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
            {
                // The window is over.
            }
        }

        Assert.InRange(connections, 1, 40);
        Assert.InRange((agent.CpuTime - before).TotalMilliseconds, 0, 500);
        Assert.False(agent.HasExited);
    }

    [Theory]
    [InlineData("architekt-agent", "org.architekt.agent")]
    [InlineData("architekt-liveness", "org.architekt.liveness")]
    public async Task Executable_Help_SaysHowAndEndsWell(string name, string port)
    {
        using var process = new GuestProcess(name, "--help");

        var (code, output, error) = await process.EndAsync(Cancellation);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains(port, output);
    }

    [Theory]
    [InlineData("architekt-agent", 2, "--hook-timeout must be a number", "--hook-timeout", "soon")]
    [InlineData("architekt-agent", 2, "Unknown argument '--prot'", "--prot")]
    [InlineData("architekt-agent", 1, "Cannot open the port /no/such/port: No such file or directory", "--port", "/no/such/port")]
    [InlineData("architekt-agent", 1, "Cannot connect to the socket /no/such/socket", "--port", "unix:/no/such/socket")]
    [InlineData("architekt-liveness", 2, "--port needs a value", "--port")]
    [InlineData("architekt-liveness", 1, "Cannot open the port /no/such/port", "--port", "/no/such/port")]
    public async Task Executable_Wrong_SaysWhatAndEndsAccordingly(string name, int exitCode, string problem, params string[] arguments)
    {
        using var process = new GuestProcess(name, arguments);

        var (code, output, error) = await process.EndAsync(Cancellation);

        Assert.Equal((exitCode, ""), (code, output));
        Assert.StartsWith($"{name}: {problem}", error);
    }

    [Fact]
    public async Task Liveness_HostListens_HearsItOnceAndTheProcessEnds()
    {
        using var liveness = new GuestProcess("architekt-liveness", "--port", _host.Port);
        using var host = await _host.AcceptAsync(Cancellation);

        Assert.Matches("""^\{"live":true,"version":"1","bootMs":[0-9]+\}$""", await host.ReadAsync(Cancellation));
        Assert.Null(await host.ReadAsync(Cancellation));
        Assert.Equal(0, (await liveness.EndAsync(Cancellation)).Code);
    }
}
