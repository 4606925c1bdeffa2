using System.Net;
using Architekt.Fabric.Client;
using Architekt.Fabric.Demo.Load;
using StackExchange.Redis;

namespace Architekt.Fabric.Soak;

/// <summary>One VM with Redis in it, and the client outside of it that keeps writing.</summary>
internal sealed class SoakGuest(string name, string address, SoakCounts counts) : IAsyncDisposable
{
    private const int RedisPort = 6379;
    private const int Keys = 1000;

    // Longer than any pause a fault may cause: Postgres, or a silo, may be away while a commit's outcome is unknown.
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _bootLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(5);
    private readonly HashSet<long> _ended = [];
    private readonly Lock _lock = new();
    private readonly List<Task> _abandoned = [];
    private RedisLoad? _load;
    private int _loads;
    private int _isTaken;

    public string Name => name;

    /// <summary>Takes it for a migration; false if somebody has.</summary>
    public bool TryTake() => Interlocked.Exchange(ref _isTaken, 1) == 0;

    public void GiveBack() => Volatile.Write(ref _isTaken, 0);

    /// <summary>A fault is about to end its processes at this epoch; the guest, too, should that be the owner's.</summary>
    public void WillEnd(long epoch)
    {
        lock (_lock) _ended.Add(epoch);
    }

    public async Task RunAsync(FabricClient client, string host, CancellationToken cancellationToken)
    {
        await client.RunVmAsync(new VmSpec(name, SoakRun.Package, host, KernelArguments: $"architekt.ip={address}/24 architekt.hostname={name}"), cancellationToken);
        await StartLoadAsync(client, cancellationToken);
    }

    /// <summary>Starts it again if it has ended, which must have been a fault's doing.</summary>
    public async Task TendAsync(FabricClient client, CancellationToken cancellationToken)
    {
        if (await client.FindVmAsync(name, cancellationToken) is not { State: VmState.Failed or VmState.Stopped } vm) return;
        bool isExpected;
        lock (_lock) isExpected = _ended.Contains(vm.Epoch);
        if (isExpected) counts.GuestEnded();
        else counts.Violation($"'{name}' is {vm.State} on {vm.Host} with epoch {vm.Epoch}, and no fault has ended it: {vm.Reason}");

        // What Redis held in memory is gone with the guest; nobody can be held to it.
        if (Interlocked.Exchange(ref _load, null) is { } load) _abandoned.Add(load.DisposeAsync().AsTask());
        await client.StartVmAsync(name, cancellationToken);
        lock (_lock) _ended.Remove(vm.Epoch);
        await StartLoadAsync(client, cancellationToken);
    }

    /// <summary>Removes what its client was told is written.</summary>
    public async Task LoseWritesAsync()
    {
        await using var link = await ConnectionMultiplexer.ConnectAsync($"{address}:{RedisPort}");
        await link.GetDatabase().KeyDeleteAsync([.. Enumerable.Range(0, Keys).Select(key => (RedisKey)$"soak-{_loads}:{key}")]);
    }

    /// <summary>Ends the writing and looks for what was acknowledged.</summary>
    public async Task FinishAsync()
    {
        if (Interlocked.Exchange(ref _load, null) is not { } load) return;
        await using (load)
        {
            var report = await load.FinishAsync();
            counts.Load(report.AcknowledgedWrites, report.LostWrites);
            if (!report.ConnectionSurvived) counts.Violation($"the connection to '{name}' did not survive: {report.Failure ?? "it was opened anew"}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_load is not null) await _load.DisposeAsync();
        await Task.WhenAll(_abandoned);
    }

    private async Task StartLoadAsync(FabricClient client, CancellationToken cancellationToken)
    {
        await client.WaitForVmAsync(name, VmState.Running, _bootLimit, cancellationToken);
        var server = new IPEndPoint(IPAddress.Parse(address), RedisPort);
        while (true)
        {
            try
            {
                _load = await RedisLoad.StartAsync(server, $"soak-{++_loads}", Keys, _answerLimit, TimeProvider.System, _pace);
                return;
            }
            catch (RedisException)
            {
                // The guest says that it is up before Redis is; and it may have been ended again.
                await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
                if (await client.FindVmAsync(name, cancellationToken) is not { State: VmState.Running }) return;
            }
        }
    }
}
