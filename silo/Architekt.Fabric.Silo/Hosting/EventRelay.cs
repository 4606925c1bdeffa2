using System.Threading.Channels;
using Architekt.Fabric.Grains;
using Orleans.Streams;

namespace Architekt.Fabric.Silo;

/// <summary>Puts what this silo has recorded on the event stream. Nothing depends on it: watchers fill gaps from the events table.</summary>
internal sealed partial class EventRelay(IServiceProvider services, ILogger<EventRelay> logger) : BackgroundService, IEventSink
{
    private const int MostWaiting = 1024;

    private readonly Channel<FabricEvent> _waiting = Channel.CreateBounded<FabricEvent>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public void Publish(FabricEvent recorded) => _waiting.Writer.TryWrite(recorded);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var next in _waiting.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                var provider = services.GetRequiredKeyedService<IStreamProvider>(FabricNames.EventStreamProvider);
                var stream = provider.GetStream<FabricEvent>(StreamId.Create(FabricNames.EventStreamNamespace, FabricNames.EventStreamKey));
                await stream.OnNextAsync(next);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogNotRelayed(next.Sequence, error.Message);
            }
        }
    }

    [LoggerMessage(2201, LogLevel.Warning, "Event {Sequence} was not put on the stream: {Reason}")]
    private partial void LogNotRelayed(long sequence, string reason);
}
