namespace Architekt.Fabric.Grains;

/// <summary>The record of what happened.</summary>
public interface IEventLog
{
    /// <summary>Appends one event; its sequence and time are the record's.</summary>
    Task<FabricEvent> AppendAsync(FabricEvent newEvent, CancellationToken cancellationToken);

    /// <summary>Events after a sequence, oldest first; -1 means the newest <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<FabricEvent>> ReadAsync(long afterSequence, int limit, CancellationToken cancellationToken);
}
