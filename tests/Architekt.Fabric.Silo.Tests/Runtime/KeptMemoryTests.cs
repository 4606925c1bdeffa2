using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Silo.Tests.Runtime;

public sealed class KeptMemoryTests : IDisposable
{
    private const long Capacity = 1000;
    private readonly TestHost _host = new();
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryLedger _ledger = new("host-a", Capacity);
    private readonly FabricOptions _options = new() { KeptMemoryBytes = 600 };
    private readonly KeptMemory _kept;

    public KeptMemoryTests()
    {
        _options.RuntimeFolder = _host.Path;
        var options = Options.Create(_options);
        _kept = new KeptMemory(options, new HostPaths(options), _ledger, _time, NullLogger<KeptMemory>.Instance);
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Take_OneOfTheNames_HandsTheFileOver()
    {
        var path = Keep("redis", 300);

        Assert.Equal(("redis@1", path), _kept.Take("redis", ["sha256-0", "redis@1"]));

        Assert.True(File.Exists(path));
        Assert.Null(_kept.Take("redis", ["redis@1"]));
    }

    [Fact]
    public void Take_NoneOfTheNames_GivesItUp()
    {
        var path = Keep("redis", 300);

        Assert.Null(_kept.Take("redis", ["redis@7"]));

        Assert.False(File.Exists(path), "RAM that is of no use any more was kept.");
    }

    [Fact]
    public void Reserve_MoreThanTheLimit_GivesUpTheOldest()
    {
        var oldest = Keep("a", 300);
        _time.Advance(TimeSpan.FromSeconds(1));
        var older = Keep("b", 300);
        _time.Advance(TimeSpan.FromSeconds(1));

        var newest = Keep("c", 300);

        Assert.Equal([false, true, true], new[] { oldest, older, newest }.Select(File.Exists));
        Assert.Null(_kept.Reserve("d", 1, 601));
        Assert.Equal([true, true], new[] { older, newest }.Select(File.Exists));
    }

    [Fact]
    public void MakeRoom_MemoryIsPromised_GivesUpOnlyAsMuchAsIsNeeded()
    {
        var oldest = Keep("a", 300);
        _time.Advance(TimeSpan.FromSeconds(1));
        var newest = Keep("b", 300);

        _ledger.Promise("other", 1, 400);
        _kept.MakeRoom();
        Assert.Equal([true, true], new[] { oldest, newest }.Select(File.Exists));

        _ledger.Promise("another", 1, 1);
        _kept.MakeRoom();
        Assert.Equal([false, true], new[] { oldest, newest }.Select(File.Exists));
    }

    [Fact]
    public void Expire_TooOld_IsGivenUp()
    {
        var old = Keep("a", 100);
        _time.Advance(_options.KeptMemoryAge);
        var young = Keep("b", 100);
        _time.Advance(TimeSpan.FromSeconds(1));

        _kept.Expire();

        Assert.Equal([false, true], new[] { old, young }.Select(File.Exists));
        Assert.Equal(["b"], _kept.Vms);
    }

    [Fact]
    public void Clear_AlsoWhatAFormerSiloLeft_AndNothingElse()
    {
        var known = Keep("a", 100);
        File.WriteAllText(_host["unknown.4.kept"], "");
        File.WriteAllText(_host["else"], "");

        _kept.Clear();

        Assert.False(File.Exists(known));
        Assert.Equal([_host["else"]], Directory.GetFileSystemEntries(_host.Path));
        Assert.Empty(_kept.Vms);
    }

    private string Keep(string vm, long bytes)
    {
        var path = _kept.Reserve(vm, 1, bytes);
        Assert.NotNull(path);
        File.WriteAllText(path, vm);
        _kept.Add(vm, $"{vm}@1", path, bytes);
        return path;
    }
}
