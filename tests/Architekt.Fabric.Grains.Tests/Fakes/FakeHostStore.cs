namespace Architekt.Fabric.Grains.Tests.Fakes;

internal sealed class FakeHostStore(FakeWorld world) : IHostStore
{
    public async Task ReportAsync(HostInfo host, CancellationToken cancellationToken)
    {
        await Task.Yield();
        world.Database.Do(tables => tables.Hosts[host.Name] = host);
    }

    public async Task<IReadOnlyList<HostInfo>> ListAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        return world.Database.Do(tables => tables.Hosts.Values.OrderBy(host => host.Name, StringComparer.Ordinal).ToList());
    }
}
