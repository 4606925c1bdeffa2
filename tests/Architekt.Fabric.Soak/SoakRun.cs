using Architekt.Fabric.Client;
using Architekt.Fabric.Faults;
using Architekt.Fabric.Faults.History;
using Architekt.Fabric.Faults.Hosts;
using Architekt.Fabric.Faults.Running;

namespace Architekt.Fabric.Soak;

/// <summary>Brings guests up, lets them move under faults, and looks what became of them.</summary>
internal sealed class SoakRun : IAsyncDisposable
{
    public const string Package = "redis";
    private const int Migrators = 2;
    private static readonly TimeSpan _tendInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _quietLimit = TimeSpan.FromSeconds(150);
    private readonly SoakOptions _options;
    private readonly FabricClient _client;
    private readonly IReadOnlyList<FaultHost> _hosts;
    private readonly IReadOnlyList<SoakGuest> _guests;
    private readonly FabricRecord _record;
    private readonly QemuRecorder _recorder;

    public SoakRun(SoakOptions options)
    {
        _options = options;
        var client = new FabricClientOptions { ReconnectTimeout = TimeSpan.FromMinutes(2) };
        foreach (var gateway in options.Fabric.Gateways) client.Gateways.Add(gateway);
        _client = new FabricClient(client);
        _hosts = [.. Enumerable.Range(0, options.Hosts).Select(index => FaultHost.Find(options.Fabric, $"host-{(char)('a' + index)}"))];
        _guests = [.. Enumerable.Range(1, options.Guests).Select(number => new SoakGuest($"redis-{number}", $"{options.Network}.{50 + number}", Counts))];
        _record = new FabricRecord(options.Fabric.Postgres);
        _recorder = new QemuRecorder(Path.Combine(options.Fabric.RunFolder, "history"));
    }

    public SoakCounts Counts { get; } = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var host in _hosts) await _client.ImportPackageAsync(host.Name, _options.Fabric.GuestFolder, Package, cancellationToken: cancellationToken);
        foreach (var (guest, index) in _guests.Select(static (guest, index) => (guest, index)))
            await guest.RunAsync(_client, _hosts[index % _hosts.Count].Name, cancellationToken);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(_options.Duration);
        using var tending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var storm = new Storm(_options.Fabric, _client, _hosts, _guests, new PostgresProcess(_options.Fabric), Counts, new Random(_options.Seed));
        Task[] all =
        [
            storm.RunAsync(end.Token),
            .. Enumerable.Range(1, Migrators).Select(number =>
                new Migrations(_client, _guests, [.. _hosts.Select(static host => host.Name)], Counts, new Random(_options.Seed + number)).RunAsync(end.Token)),
            SabotageAsync(end.Token),
        ];
        var keeping = ReviveAsync(tending.Token);
        var nursing = Task.WhenAll(_guests.Select(guest => TendAsync(guest, tending.Token)));
        await Task.WhenAll(all);
        await storm.CalmAsync(cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        await SettleAsync(cancellationToken);
        await tending.CancelAsync();
        await Task.WhenAll(keeping, nursing);
        if (_options.Harm == Harm.LostWrites) await _guests[0].LoseWritesAsync();
        foreach (var guest in _guests) await guest.FinishAsync();
        foreach (var breach in HistoryCheck.Find(_recorder.Read(), await _record.ListOwnersAsync(cancellationToken))) Counts.Violation(breach);
    }

    public async ValueTask DisposeAsync()
    {
        await _recorder.DisposeAsync();
        foreach (var guest in _guests) await guest.DisposeAsync();
        await _client.DisposeAsync();
    }

    private async Task SabotageAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(_options.Duration / 2, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!cancellationToken.IsCancellationRequested) await new Saboteur(_options.Fabric, _client, _hosts, _guests[0]).DoAsync(_options.Harm, cancellationToken);
    }

    /// <summary>Starts silos that have ended, as a service manager would.</summary>
    private async Task ReviveAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var host in _hosts) await host.ReviveAsync(cancellationToken);
            await Task.Delay(_tendInterval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TendAsync(SoakGuest guest, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await guest.TendAsync(_client, cancellationToken);
            }
            catch (FabricException)
            {
                // It is tried again.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(_tendInterval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Nothing bad happens any more: everything must end, everybody run, and nothing be left.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Until.NothingAsync(() => FindUnrestAsync(cancellationToken), _quietLimit, cancellationToken);
        }
        catch (CellFailedException error)
        {
            Counts.Violation(error.Message);
        }
    }

    private async Task<string?> FindUnrestAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _record.ListUnfinishedAsync(cancellationToken) is [var unfinished, ..]) return $"operation {unfinished} has not ended";
            var vms = await _client.ListVmsAsync(cancellationToken);
            if (vms.FirstOrDefault(static vm => vm.State != VmState.Running) is { } idle) return $"'{idle.Name}' is {idle.State} on {idle.Host}: {idle.Reason}";
            foreach (var host in _hosts)
            {
                var expected = vms.Where(vm => vm.Host == host.Name).Select(static vm => $"{vm.Name}.{vm.Epoch}").Order();
                var found = host.Instances().Order().ToList();
                if (!expected.SequenceEqual(found)) return $"{host.Name} has {string.Join(", ", found)} and should have {string.Join(", ", expected)}";
            }

            return null;
        }
        catch (Exception error) when (error is FabricException or Npgsql.NpgsqlException)
        {
            return error.Message;
        }
    }
}
