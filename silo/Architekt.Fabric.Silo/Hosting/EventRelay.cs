using System.Threading.Channels;
using Architekt.Fabric.Grains;
using Orleans.Streams;

namespace Architekt.Fabric.Silo;

/// <summary>Puts what this silo has recorded on the event stream. Nothing depends on it: watchers fill gaps from the events table.</summary>
internal sealed partial class EventRelay(IServiceProvider services, TimeProvider time, ILogger<EventRelay> logger) : BackgroundService, IEventSink
{
    private const int MostWaiting = 1024;

    /// <summary>The event of a commit comes in the middle of a pause, and nobody waits for it as a guest's clients wait for the guest.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    private readonly Channel<FabricEvent> _waiting = Channel.CreateBounded<FabricEvent>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    public void Publish(FabricEvent recorded) => _waiting.Writer.TryWrite(recorded);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await _waiting.Reader.WaitToReadAsync(stoppingToken))
        {
            await Task.Delay(Delay, time, stoppingToken);
            while (_waiting.Reader.TryRead(out var next)) await RelayAsync(next);
        }
    }

    private async Task RelayAsync(FabricEvent next)
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

    [LoggerMessage(2201, LogLevel.Warning, "Event {Sequence} was not put on the stream: {Reason}")]
    private partial void LogNotRelayed(long sequence, string reason);
}
