using System.Collections.Concurrent;
using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Database.Tests;

internal sealed class RecordingSink : IEventSink
{
    internal ConcurrentQueue<FabricEvent> Events { get; } = new();

    public void Publish(FabricEvent recorded) => Events.Enqueue(recorded);
}
