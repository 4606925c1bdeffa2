namespace Architekt.Fabric.Grains.Tests.Fakes;

internal sealed class FakeEventLog(FakeWorld world) : IEventLog
{
    public async Task<FabricEvent> AppendAsync(FabricEvent newEvent, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return world.Database.Do(tables =>
        {
            var recorded = newEvent with { Sequence = tables.Events.Count + 1 };
            tables.Events.Add(recorded);
            return recorded;
        });
    }

    public async Task<IReadOnlyList<FabricEvent>> ReadAsync(long afterSequence, int limit, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return world.Database.Do(tables => (afterSequence < 0
            ? tables.Events.TakeLast(limit)
            : tables.Events.Where(happened => happened.Sequence > afterSequence).Take(limit)).ToList());
    }
}
