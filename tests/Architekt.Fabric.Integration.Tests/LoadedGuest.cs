using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Demo.Load;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>A Redis guest on the bridge, and a client outside of it that writes numbered keys over one connection.</summary>
internal sealed class LoadedGuest : IAsyncDisposable
{
    private const int RedisPort = 6379;
    private const int Keys = 1000;

    // Longer than any pause of these tests.
    private static readonly TimeSpan _answerLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _connectLimit = TimeSpan.FromMilliseconds(250);
    private readonly TwoHosts _hosts;
    private readonly RedisLoad _load;
    private bool _isFinished;

    private LoadedGuest(TwoHosts hosts, string name, RedisLoad load) => (_hosts, Name, _load) = (hosts, name, load);

    public string Name { get; }

    /// <summary>Writes that were acknowledged, so far.</summary>
    public long Writes => _load.Log.Count;

    /// <summary>Runs it and begins to write.</summary>
    /// <param name="hosts">The fabric.</param>
    /// <param name="name">Its name.</param>
    /// <param name="number">The last number of its address.</param>
    /// <param name="host">Where it is to run.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="availability">What becomes of it without its host.</param>
    /// <param name="package">What it is resumed from.</param>
    public static async Task<LoadedGuest> RunAsync(
        TwoHosts hosts, string name, int number, SiloProcess host, CancellationToken cancellationToken, VmAvailability availability = VmAvailability.Normal, string package = TwoHosts.Ready)
    {
        await hosts.MakeReadyAsync(cancellationToken);
        var address = $"{hosts.Subnet}.{number}";
        try
        {
            await hosts.Fabric.RunVmAsync(new VmSpec(name, package, host.Name, Address: $"{address}/24", Availability: availability), cancellationToken);
            var server = new IPEndPoint(IPAddress.Parse(address), RedisPort);

            // It learns its address a moment after it was resumed.
            await TwoHosts.UntilAsync(() => IsListeningAsync(server, cancellationToken), $"Redis listens at {address}", cancellationToken);
            return new LoadedGuest(hosts, name, await RedisLoad.StartAsync(server, name, Keys, _answerLimit, TimeProvider.System, _pace));
        }
        catch
        {
            await hosts.DeleteAsync(name, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Waits until some more writes have been acknowledged: it runs.</summary>
    public Task UntilItWritesAsync(CancellationToken cancellationToken)
    {
        var before = Writes;
        return TwoHosts.UntilAsync(
            () =>
            {
                Assert.True(_load.Failure is null, $"The connection to '{Name}' is lost: {_load.Failure}");
                return Task.FromResult(Writes >= before + 20);
            },
            $"'{Name}' acknowledges writes",
            cancellationToken);
    }

    /// <summary>Waits until nothing has been acknowledged for a while: it stands still.</summary>
    public Task UntilItStandsStillAsync(CancellationToken cancellationToken) => TwoHosts.UntilAsync(() => StandsStillAsync(cancellationToken), $"'{Name}' stands still", cancellationToken);

    public async Task<bool> StandsStillAsync(CancellationToken cancellationToken)
    {
        var before = Writes;
        await Task.Delay(TimeSpan.FromMilliseconds(700), cancellationToken);
        return Writes == before;
    }

    /// <summary>The longest time between two acknowledgements while something is done.</summary>
    public async Task<TimeSpan> LongestGapAsync(Func<Task> whatIsDone)
    {
        var interval = Guid.NewGuid().ToString();
        _load.Log.Begin(interval);
        await whatIsDone();
        _load.Log.End(interval);
        return TimeSpan.FromMilliseconds(_load.Log.Measure(interval).LongestGapMs);
    }

    /// <summary>Ends the writing: all that was acknowledged is there, and one connection carried it.</summary>
    public async Task AssertNothingIsLostAsync()
    {
        var report = await _load.FinishAsync();
        _isFinished = true;
        Assert.True(report.AcknowledgedWrites > 0);
        Assert.True(report is { LostWrites: 0, ConnectionSurvived: true }, $"{report}");
    }

    public async ValueTask DisposeAsync()
    {
        // Without its end it may wait for the answer of a guest that has gone.
        var ending = _load.DisposeAsync().AsTask();
        if (_isFinished) await ending;
        await _hosts.DeleteAsync(Name, CancellationToken.None);
    }

    private static async Task<bool> IsListeningAsync(EndPoint server, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_connectLimit);
        try
        {
            await socket.ConnectAsync(server, patience.Token);
            return true;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
