using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Cli.Tests;

/// <summary>The built command as a process, against nothing that listens.</summary>
public sealed class ProcessTests
{
    private static readonly string _fabric = Path.Combine(AppContext.BaseDirectory, "fabric");

    [Fact]
    public async Task Fabric_NothingListens_Exits6WithinFiveSecondsWithOneSentence()
    {
        var watch = Stopwatch.StartNew();

        var (code, output, error) = await RunAsync("vm", "list", "--gateway", $"127.0.0.1:{FreePort()}");

        Assert.Equal((6, ""), (code, output));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed}.");
        Assert.Matches("^fabric: The fabric cannot be reached: 127\\.0\\.0\\.1:[0-9]+ \\(connection refused\\)\\.[^\n]*\n$", error);
    }

    [Fact]
    public async Task Fabric_ListenerSaysNothing_GivesUpAndExits6()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var watch = Stopwatch.StartNew();

        var (code, _, error) = await RunAsync("vm", "list", "-o", "json", "--gateway", listener.LocalEndpoint.ToString()!);

        Assert.Equal(6, code);
        Assert.StartsWith("{\"error\":{\"code\":\"unavailable\",", error, StringComparison.Ordinal);
        // Told to give up after 2 seconds. The bound only tells a limit of ours from none at all, with which Orleans would try for ever: starting its client
        // takes a second of processor time, and a machine that builds and tests may take most of a minute to give it.
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public async Task Fabric_CtrlC_ExitsWith7()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var start = Start("vm", "list", "--gateway", listener.LocalEndpoint.ToString()!);
        start.Environment["FABRIC_CONNECT_TIMEOUT"] = "1m";
        using var process = Process.Start(start)!;
        try
        {
            // It has connected, so its handlers are in place.
            using var connection = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            using var kill = Process.Start("kill", ["-INT", $"{process.Id}"])!;
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.Equal(7, process.ExitCode);
            Assert.Equal("fabric: Interrupted.\n", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    [Fact]
    public async Task Fabric_Version_IsANumber()
    {
        var (code, output, error) = await RunAsync("--version");

        Assert.Equal((0, ""), (code, error));
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+\n$", output);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static ProcessStartInfo Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(_fabric, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Remove("FABRIC_GATEWAYS");
        start.Environment.Remove("FABRIC_DEBUG");
        start.Environment["FABRIC_CONNECT_TIMEOUT"] = "2s";
        return start;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(Start(arguments))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
