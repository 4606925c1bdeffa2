using System.Net;
using Architekt.Fabric.Client;
using Architekt.Fabric.Demo.Load;
using Architekt.Fabric.Faults.History;
using Architekt.Fabric.Faults.Hosts;

namespace Architekt.Fabric.Faults.Running;

/// <summary>The fabric the faults are done to: two hosts, Postgres, and one Redis guest that serves all cells.</summary>
internal sealed class FaultFabric : IAsyncDisposable
{
    private const string Package = "redis";

    // The same for each guest, because they have the same address, and the client knows it for a while.
    private const string Mac = "52:54:00:77:00:50";
    private const int RedisPort = 6379;
    private const int HealthPort = 8081;
    private const int Keys = 1000;
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _quietLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(60);

    // Some writes a millisecond would only keep the processors from what is to be tested.
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(5);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly FaultOptions _options;
    private int _loads, _guests;

    public FaultFabric(FaultOptions options)
    {
        _options = options;
        Hosts = [FaultHost.Find(options, "host-a"), FaultHost.Find(options, "host-b")];
        Record = new FabricRecord(options.Postgres);
        Recorder = new QemuRecorder(Path.Combine(options.RunFolder, "history"));
        Injector = new FaultInjector(new PostgresProcess(options), new SwitchPorts(options, Hosts), Hosts);
    }

    public IReadOnlyList<FaultHost> Hosts { get; }

    /// <summary>The VM; after a failure another one, so that nothing the cells before had to say about the old one is said again.</summary>
    public string Vm => $"redis-{_guests}";

    public FabricRecord Record { get; }

    public QemuRecorder Recorder { get; }

    public FaultInjector Injector { get; }

    public string GateFolder => Path.Combine(_options.RunFolder, "gates");

    public FaultHost Host(string name) => Hosts.Single(host => host.Name == name);

    public FaultHost Other(FaultHost host) => Hosts.Single(other => other != host);

    /// <summary>A client of its own for each cell: what a fault does to one is not the next one's affair.</summary>
    public FabricClient CreateClient()
    {
        var options = new FabricClientOptions();
        foreach (var gateway in _options.Gateways) options.Gateways.Add(gateway);
        return new FabricClient(options);
    }

    /// <summary>Brings the guest up for the first time.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var client = CreateClient();
        foreach (var host in Hosts) await client.ImportPackageAsync(host.Name, _options.GuestFolder, Package, cancellationToken: cancellationToken);
        await RunGuestAsync(client, cancellationToken);
        await UntilQuietAsync(cancellationToken);
    }

    /// <summary>Asks the fabric for something until it is reached; anything it may refuse at first must be possible again soon.</summary>
    public static Task RepeatAsync(Func<Task> request, CancellationToken cancellationToken) => Until.NothingAsync(
        async () =>
        {
            try
            {
                await request();
                return null;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                return error.Message;
            }
        },
        _patience,
        cancellationToken);

    /// <summary>Starts the guest again after a fault that ended it.</summary>
    public async Task StartGuestAgainAsync(FabricClient client, CancellationToken cancellationToken)
    {
        await RepeatAsync(() => client.StartVmAsync(Vm, cancellationToken), cancellationToken);
        await UntilUpAsync(client, cancellationToken);
    }

    /// <summary>After a failure: gets at a fabric that the next cell can use, with another guest.</summary>
    public async Task RepairAsync(CancellationToken cancellationToken)
    {
        foreach (var gate in Directory.EnumerateFiles(GateFolder)) File.Delete(gate);
        await Injector.HealAsync(cancellationToken);
        await using var client = CreateClient();
        await Until.NothingAsync(
            async () =>
            {
                try
                {
                    await Injector.ReviveSilosAsync(cancellationToken);
                    if (await Record.ListUnfinishedAsync(cancellationToken) is [var id, ..]) return $"operation {id} has not ended";
                    await client.DeleteVmAsync(Vm, force: true, cancellationToken);
                    return null;
                }
                catch (Exception error) when (error is FabricException { Code: not FabricErrorCode.NotFound } or Npgsql.NpgsqlException)
                {
                    return error.Message;
                }
                catch (FabricException)
                {
                    return null;
                }
            },
            _quietLimit,
            cancellationToken);
        await RunGuestAsync(client, cancellationToken);
        await UntilQuietAsync(cancellationToken);
    }

    /// <summary>What must not be in the history of the VM.</summary>
    public async Task<IReadOnlyList<string>> FindBreachesAsync(CancellationToken cancellationToken)
    {
        var owners = await Record.ListOwnersAsync(cancellationToken);
        return HistoryCheck.Find([.. Recorder.Read().Where(run => run.Vm == Vm)], [.. owners.Where(owner => owner.Vm == Vm)]);
    }

    /// <summary>A client outside of the guest begins to write.</summary>
    public Task<RedisLoad> StartLoadAsync() => RedisLoad.StartAsync(
        new IPEndPoint(IPAddress.Parse(_options.GuestAddress), RedisPort), $"cell-{++_loads}", Keys, _answerLimit, TimeProvider.System, _pace);

    /// <summary>Waits until both hosts are there and nothing is left of what has been. Returns how long that took.</summary>
    public async Task<TimeSpan> UntilQuietAsync(CancellationToken cancellationToken)
    {
        await using var client = CreateClient();
        return await Until.NothingAsync(
            async () =>
            {
                await Injector.ReviveSilosAsync(cancellationToken);
                return await FindUnrestAsync(client, cancellationToken);
            },
            _quietLimit,
            cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Recorder.DisposeAsync();
    }

    private async Task<string?> FindUnrestAsync(FabricClient client, CancellationToken cancellationToken)
    {
        try
        {
            var row = await Record.FindVmAsync(Vm, cancellationToken);
            if (row.ReservedBy is { } operation) return $"the next epoch is reserved for operation {operation}";
            if (await Record.ListUnfinishedAsync(cancellationToken) is [var unfinished, ..]) return $"operation {unfinished} has not ended";
            foreach (var host in Hosts)
            {
                if (await Leftovers.FindAsync(host, Vm, row, cancellationToken) is { Count: > 0 } left) return string.Join("; ", left);
            }

            if (row.State != nameof(VmState.Running) && !row.HasEnded) return $"'{Vm}' is {row.State}";
            foreach (var gateway in _options.Gateways)
            {
                // Who asks the others is told of a silo that has just ended that it is there.
                using var health = await _http.GetAsync(new Uri($"http://{gateway.Split(':')[0]}:{HealthPort}/health"), cancellationToken);
                if (!health.IsSuccessStatusCode) return $"the silo behind {gateway} has not joined";
            }

            var known = await client.ListHostsAsync(cancellationToken);
            return known.FirstOrDefault(static host => host.State != HostState.Ready) is { } away ? $"{away.Name} is {away.State}" : null;
        }
        catch (Exception error) when (error is FabricException or Npgsql.NpgsqlException or IOException or HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            return error.Message;
        }
    }

    private async Task RunGuestAsync(FabricClient client, CancellationToken cancellationToken)
    {
        _guests++;
        await client.RunVmAsync(
            new VmSpec(Vm, Package, Hosts[0].Name, Mac: Mac, KernelArguments: $"architekt.ip={_options.GuestAddress}/24 architekt.hostname={Vm}"), cancellationToken);
        await UntilUpAsync(client, cancellationToken);
    }

    private async Task UntilUpAsync(FabricClient client, CancellationToken cancellationToken)
    {
        await client.WaitForVmAsync(Vm, VmState.Running, _bootLimit, cancellationToken);
        await Until.NothingAsync(
            async () =>
            {
                try
                {
                    await using var link = await RedisLink.ConnectAsync(new IPEndPoint(IPAddress.Parse(_options.GuestAddress), RedisPort), _answerLimit);
                    return null;
                }
                catch (StackExchange.Redis.RedisException error)
                {
                    return $"Redis does not answer: {error.Message}";
                }
            },
            _bootLimit,
            cancellationToken);
    }
}
