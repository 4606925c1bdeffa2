using System.Net;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>One host: a real silo process with folders and a loopback address of its own.</summary>
internal sealed class SiloProcess(string name, string address, string folder, string runtimeFolder, string bridge, string postgres, string gates)
{
    /// <summary>How long a silo may take to end, whatever else is gone.</summary>
    public static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);
    private static readonly HttpClient Http = new();
    private ProcessIdentity? _process;

    public string Name => name;

    public string Gateway => $"{address}:{GatewayPort}";

    public string RuntimeFolder => runtimeFolder;

    public bool IsRunning => _process?.IsAlive() == true;

    private const int SiloPort = 21111;
    private const int GatewayPort = 31000;
    private const int HealthPort = 28081;

    private string LogFile => Path.Combine(folder, "silo.log");

    public bool HasLogged(string text) => File.ReadAllText(LogFile).Contains(text, StringComparison.Ordinal);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var peer = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_PEER") ?? Path.Combine(AppContext.BaseDirectory, "architekt-peer");
        var environment = new Dictionary<string, string?>
        {
            ["Fabric__HostName"] = name,
            ["Fabric__AdvertisedAddress"] = address,
            ["Fabric__SiloPort"] = $"{SiloPort}",
            ["Fabric__GatewayPort"] = $"{GatewayPort}",
            ["Fabric__HealthPort"] = $"{HealthPort}",
            ["Fabric__StateFolder"] = folder,
            ["Fabric__RuntimeFolder"] = runtimeFolder,
            ["Fabric__Bridge"] = bridge,
            ["Fabric__Postgres"] = postgres,
            ["Fabric__PeerPath"] = peer,
            ["Fabric__MemoryBytes"] = $"{1L << 30}",
            ["Fabric__ClusterId"] = "integration",
            ["Fabric__LeaseDuration"] = "00:00:05",
            ["Fabric__LeaseMargin"] = "00:00:03",
            ["Fabric__FaultGateFolder"] = gates,
            ["ASPNETCORE_ENVIRONMENT"] = "Test",
        };
        _process = await DetachedProcess.StartAsync(
            Path.Combine(AppContext.BaseDirectory, "Architekt.Fabric.Silo"), [], environment, folder, LogFile, cancellationToken);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(StartDeadline);
        while (!await IsHealthyAsync(deadline.Token))
        {
            if (!_process.Value.IsAlive()) throw new InvalidOperationException($"{name} ended: {File.ReadAllText(LogFile)}");
            await Task.Delay(100, deadline.Token);
        }
    }

    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        process.Kill(ProcessSignal.Kill);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(10));
        _process = null;
    }

    public Task StopAsync() => StopAsync(TimeSpan.FromSeconds(30));

    /// <summary>Asks it to end, and kills it if it does not. Whether it ended by itself.</summary>
    public async Task<bool> StopAsync(TimeSpan limit)
    {
        if (_process is not { } process) return true;
        process.Kill(ProcessSignal.Terminate);
        var hasEnded = await process.WaitForExitAsync(limit);
        if (!hasEnded) await KillAsync();
        _process = null;
        return hasEnded;
    }

    private static async Task<bool> IsHealthyAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri($"http://{address}:{HealthPort}/health"), cancellationToken);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private Task<bool> IsHealthyAsync(CancellationToken cancellationToken) => IsHealthyAsync(address, cancellationToken);
}
