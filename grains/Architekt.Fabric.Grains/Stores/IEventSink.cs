namespace Architekt.Fabric.Grains;

/// <summary>Told of every event this silo has recorded, after the transaction; the last hop to watchers starts here.</summary>
public interface IEventSink
{
    /// <summary>Must not block and must not throw: the record is the table, this is a courtesy.</summary>
    void Publish(FabricEvent recorded);
}
