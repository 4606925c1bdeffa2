using Architekt.Fabric.Client.Connection;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace Architekt.Fabric.Client.Events;

/// <summary>A subscription to the fabric's event stream, used only to look at the record at once instead of at the next poll.</summary>
internal sealed partial class EventWakeUp : IAsyncDisposable
{
    private static readonly TimeSpan _unsubscribeTimeout = TimeSpan.FromSeconds(1);
    private readonly StreamSubscriptionHandle<FabricEvent> _subscription;

    private EventWakeUp(StreamSubscriptionHandle<FabricEvent> subscription) => _subscription = subscription;

    /// <summary>Subscribes, or returns null when the stream cannot be had: the poll does without.</summary>
    public static async Task<IAsyncDisposable?> SubscribeAsync(FabricConnection connection, Action wake, CancellationToken cancellationToken)
    {
        try
        {
            var cluster = await connection.GetAsync(cancellationToken).ConfigureAwait(false);
            var stream = cluster.GetStreamProvider(FabricNames.EventStreamProvider)
                .GetStream<FabricEvent>(StreamId.Create(FabricNames.EventStreamNamespace, FabricNames.EventStreamKey));
            var subscription = await stream.SubscribeAsync(
                (_, _) =>
                {
                    wake();
                    return Task.CompletedTask;
                }).WaitAsync(cancellationToken).ConfigureAwait(false);
            return new EventWakeUp(subscription);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            var logger = connection.LoggerFactory.CreateLogger<EventWakeUp>();
            Log.NoStream(logger, error);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _subscription.UnsubscribeAsync().WaitAsync(_unsubscribeTimeout).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The silos drop the subscription of a client that is gone.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "The event stream cannot be subscribed to, so events are polled only.")]
        public static partial void NoStream(ILogger logger, Exception error);
    }
}
