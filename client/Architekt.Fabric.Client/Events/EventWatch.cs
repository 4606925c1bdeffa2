using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client.Events;

/// <summary>Reads the event record as it grows: at once when woken, every <see cref="FabricClientOptions.PollInterval"/> otherwise.</summary>
internal sealed class EventWatch(
    FabricClientOptions options,
    Func<long, int, CancellationToken, Task<IReadOnlyList<FabricEvent>>> read,
    Func<Action, CancellationToken, Task<IAsyncDisposable?>> subscribe)
{
    private const int PageSize = 500;

    public async IAsyncEnumerable<FabricEvent> RunAsync(
        long afterSequence, int backlog, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var subscription = subscribe(() => wake.Writer.TryWrite(true), ending.Token);
        try
        {
            var cursor = new EventCursor(options.TimeProvider);
            var patience = new Patience(options);
            IReadOnlyList<FabricEvent> page;
            if (afterSequence < 0)
            {
                page = await TryAsync(token => read(-1, Math.Max(backlog, 1), token), patience, cancellationToken).ConfigureAwait(false);
                cursor.StartBehind(page.Count == 0 ? 0 : page[0].Sequence - 1);
                foreach (var happened in cursor.Take(page))
                {
                    if (backlog > 0) yield return happened;
                }
            }
            else
            {
                cursor.StartBehind(afterSequence);
            }

            while (true)
            {
                do
                {
                    page = await TryAsync(token => read(cursor.Last, PageSize, token), patience, cancellationToken).ConfigureAwait(false);
                    foreach (var happened in cursor.Take(page)) yield return happened;
                }
                while (page.Count == PageSize);

                foreach (var (first, last) in cursor.OpenGaps())
                {
                    var limit = (int)Math.Min(last - first + 1, PageSize);
                    page = await TryAsync(token => read(first - 1, limit, token), patience, cancellationToken).ConfigureAwait(false);
                    foreach (var happened in cursor.TakeLate(page)) yield return happened;
                }

                await WaitAsync(wake.Reader, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            if (await subscription.ConfigureAwait(false) is { } subscribed) await subscribed.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<FabricEvent>> TryAsync(
        Func<CancellationToken, Task<IReadOnlyList<FabricEvent>>> readPage, Patience patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var page = await readPage(cancellationToken).ConfigureAwait(false);
                patience.Reset();
                return page;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                await patience.WaitAsync(error, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task WaitAsync(ChannelReader<bool> wake, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var poll = Task.Delay(options.PollInterval, options.TimeProvider, waiting.Token);
        await Task.WhenAny(poll, wake.WaitToReadAsync(waiting.Token).AsTask()).ConfigureAwait(false);
        await waiting.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        wake.TryRead(out _);
    }
}
