using System.Net;
using StackExchange.Redis;

namespace Architekt.Fabric.Demo.Load;

/// <summary>Writes numbered keys one after the other, each as soon as the one before was acknowledged, and knows what must be there.</summary>
internal sealed class RedisLoad : IAsyncDisposable
{
    private const int Batch = 500;

    private readonly RedisLink _link;
    private readonly EndPoint _server;
    private readonly string _identity;
    private readonly string _prefix;
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _acknowledged;
    private readonly TimeSpan _answerTimeout;
    private readonly TimeSpan _pace;
    private readonly Task _writing;
    private string? _failure;

    private RedisLoad(RedisLink link, EndPoint server, string identity, string prefix, int keys, TimeSpan answerTimeout, TimeProvider time, TimeSpan pace)
    {
        _pace = pace;
        _answerTimeout = answerTimeout;
        _link = link;
        _server = server;
        _identity = identity;
        _prefix = prefix;
        _acknowledged = new long[keys];
        Log = new AcknowledgementLog(time);
        _writing = Task.Run(WriteAsync);
    }

    public AcknowledgementLog Log { get; }

    public string Connection => _identity;

    /// <summary>Why the writing has ended early, or null.</summary>
    public string? Failure => _failure;

    /// <summary>Connects and begins to write.</summary>
    /// <param name="server">The Redis server.</param>
    /// <param name="prefix">Of the keys; two loads on one server need two.</param>
    /// <param name="keys">How many different keys there are; after the last one the first is written again, so that a small guest does not fill up.</param>
    /// <param name="answerTimeout">How long to wait for an answer before the load counts as broken; longer than any pause that is to be survived.</param>
    /// <param name="time">The clock.</param>
    /// <param name="pace">How long to wait after each acknowledgement; nothing writes as fast as they come.</param>
    public static async Task<RedisLoad> StartAsync(
        EndPoint server, string prefix, int keys, TimeSpan answerTimeout, TimeProvider time, TimeSpan pace = default)
    {
        var link = await RedisLink.ConnectAsync(server, answerTimeout).ConfigureAwait(false);
        var identity = await link.IdentifyAsync().ConfigureAwait(false);
        return new RedisLoad(link, server, identity, prefix, keys, answerTimeout, time, pace);
    }

    /// <summary>Ends the writing and looks for every acknowledged write, on the connection that wrote it if that is still there.</summary>
    public async Task<LoadReport> FinishAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        var all = Log.MeasureAll();

        string? identity = null;
        var lost = Log.Count;
        try
        {
            if (_failure is null)
            {
                lost = await CountLostAsync(_link).ConfigureAwait(false);
                identity = await _link.IdentifyAsync().ConfigureAwait(false);
            }
            else
            {
                await using var second = await RedisLink.ConnectAsync(_server, _answerTimeout).ConfigureAwait(false);
                lost = await CountLostAsync(second).ConfigureAwait(false);
            }
        }
        catch (RedisException e)
        {
            _failure ??= $"Looking for the acknowledged writes failed: {e.Message}";
        }
        catch (TimeoutException e)
        {
            _failure ??= $"Looking for the acknowledged writes took too long: {e.Message}";
        }

        var survived = _failure is null && identity == _identity && _link is { SocketsOpened: 1, ConnectionsFailed: 0 };
        return new LoadReport(Log.Count, lost, survived, _link.SocketsOpened, _link.ConnectionsFailed,
            _identity, identity, _failure, all);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        await _link.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        var database = _link.Database;
        try
        {
            // Never given up half-way: a write whose answer nobody waits for could be there or not.
            for (long number = 1; !_stop.IsCancellationRequested; number++)
            {
                var slot = (int)((number - 1) % _acknowledged.Length);
                await database.StringSetAsync(Key(slot), number).ConfigureAwait(false);
                Log.Add();
                _acknowledged[slot] = number;
                if (_pace > TimeSpan.Zero) await Task.Delay(_pace, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (RedisException e)
        {
            _failure = e.Message;
        }
        catch (TimeoutException e)
        {
            _failure = e.Message;
        }
    }

    private async Task<long> CountLostAsync(RedisLink link)
    {
        // A write that was sent and never answered may be there or not; the next number is as right as the last one then.
        var unanswered = Log.Count + 1;
        var slots = (int)Math.Min(Log.Count, _acknowledged.Length);
        long lost = 0;
        for (var first = 0; first < slots; first += Batch)
        {
            var count = Math.Min(Batch, slots - first);
            var values = await link.Database.StringGetAsync([.. Enumerable.Range(first, count).Select(Key)]).ConfigureAwait(false);
            for (var i = 0; i < count; i++)
            {
                var expected = _acknowledged[first + i];
                if (!values[i].TryParse(out long value) || (value != expected && (_failure is null || value != unanswered))) lost++;
            }
        }
        return lost;
    }

    private RedisKey Key(int slot) => $"{_prefix}:{slot}";
}
