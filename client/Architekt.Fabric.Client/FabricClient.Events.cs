using Architekt.Fabric.Client.Events;

namespace Architekt.Fabric.Client;

public partial class FabricClient
{
    /// <summary>Events from the record, oldest first.</summary>
    /// <param name="afterSequence">Events after this one; -1 means the newest <paramref name="limit"/>.</param>
    /// <param name="limit">At most this many, 1 to 1000.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public virtual Task<IReadOnlyList<FabricEvent>> ReadEventsAsync(long afterSequence = -1, int limit = 100, CancellationToken cancellationToken = default)
    {
        if (limit is < 1 or > 1000) throw FabricException.Invalid("The number of events to read must be 1 to 1000.");
        return Connection.CallCatalogAsync(catalog => catalog.ReadEventsAsync(afterSequence, limit, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Events from the record and then as they happen, each exactly once and without end. Nearly in order of their sequence:
    /// an event that was recorded late comes late rather than not at all.
    /// </summary>
    /// <param name="afterSequence">Begins behind this one; -1 begins with the newest <paramref name="backlog"/>.</param>
    /// <param name="backlog">How many past events to begin with when <paramref name="afterSequence"/> is -1, 0 to 1000.</param>
    /// <param name="cancellationToken">Ends the watching.</param>
    public virtual IAsyncEnumerable<FabricEvent> WatchEventsAsync(long afterSequence = -1, int backlog = 0, CancellationToken cancellationToken = default)
    {
        if (backlog is < 0 or > 1000) throw FabricException.Invalid("The number of past events must be 0 to 1000.");
        return new EventWatch(
            Connection.Options,
            (after, limit, token) => ReadEventsAsync(after, limit, token),
            (wake, token) => EventWakeUp.SubscribeAsync(Connection, wake, token)).RunAsync(afterSequence, backlog, cancellationToken);
    }
}
