using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Database.Tests;

public sealed class HostStoreTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    private static readonly DateTimeOffset _seen = new(2026, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private static HostInfo Host(string name, DateTimeOffset seen, int vcpus = 4) => new(
        name, HostState.Ready, "192.0.2.1", vcpus, 8L << 30, 12345, 77, "kvm", "7.2.0", "6.18", LiveMigration: false, "the kernel is too old", "0.1.0", seen);

    [Fact]
    public async Task Report_NewHost_IsListedWithWhatItOwns()
    {
        var name = Unique("host");
        await Hosts.ReportAsync(Host(name, _seen), Cancellation);
        await Vms.CreateAsync(Vm(Unique("vm"), name, memoryBytes: 1L << 30), Cancellation);
        await Vms.CreateAsync(Vm(Unique("vm"), name, memoryBytes: 2L << 30), Cancellation);
        var listed = Assert.Single(await Hosts.ListAsync(Cancellation), host => host.Name == name);
        Assert.Equal(Host(name, _seen) with { State = HostState.Unreachable, MemoryUsedBytes = 3L << 30, VmCount = 2 }, listed);
    }

    [Fact]
    public async Task Report_Again_ReplacesTheOlderButNotTheNewer()
    {
        var name = Unique("host");
        await Hosts.ReportAsync(Host(name, _seen), Cancellation);
        await Hosts.ReportAsync(Host(name, _seen.AddSeconds(5), vcpus: 8), Cancellation);
        await Hosts.ReportAsync(Host(name, _seen.AddSeconds(1), vcpus: 2), Cancellation);
        var listed = Assert.Single(await Hosts.ListAsync(Cancellation), host => host.Name == name);
        Assert.Equal((8, _seen.AddSeconds(5), 0L, 0), (listed.Vcpus, listed.LastSeen, listed.MemoryUsedBytes, listed.VmCount));
    }

    [Fact]
    public async Task Report_BadName_ThrowsInvalid() =>
        await ThrowsAsync(FabricErrorCode.InvalidArgument, () => Hosts.ReportAsync(Host("no name", _seen), Cancellation));
}
