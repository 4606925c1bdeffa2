using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Tests.Runtime.Disks;

public sealed class DiskFetchTests : IAsyncDisposable
{
    private readonly TestHost _host = new();
    private readonly DiskExports _exports = new(Options.Create(new FabricOptions { AdvertisedAddress = "127.0.0.1" }), NullLogger<DiskExports>.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _exports.DisposeAsync();
        _host.Dispose();
    }

    [Fact]
    public async Task Fetch_SparseDisk_IsTheSameAndOnlyItsDataWasRead()
    {
        var content = new byte[(8 << 20) + 512];
        new Random(7).NextBytes(content.AsSpan(3 << 20, (1 << 20) + 100));
        content[^1] = 42;
        using (var source = File.OpenHandle(_host["source"], FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(source, content.Length);
            RandomAccess.Write(source, content.AsSpan(3 << 20, (1 << 20) + 100), 3 << 20);
            RandomAccess.Write(source, content.AsSpan(content.Length - 1), content.Length - 1);
        }

        var completed = false;
        await using var fetch = new DiskFetch(_exports.Offer("op-1", _host["source"]), _host["target"], (_, _) => Task.FromResult(completed = !File.Exists(_host["target"])), TimeProvider.System);
        var status = await EndAsync(fetch);

        Assert.Null(status.Error);
        Assert.True(completed);
        Assert.Equal(content, File.ReadAllBytes(_host["target"]));
        Assert.InRange(status.Transfer.DiskBytes, 1 << 20, 2 << 20);
    }

    [Fact]
    public async Task Fetch_AfterTheOfferWasWithdrawn_FailsWithTheReason()
    {
        File.WriteAllBytes(_host["source"], new byte[4096]);
        var offer = _exports.Offer("op-1", _host["source"]);
        await _exports.WithdrawAsync("op-1");

        await using var fetch = new DiskFetch(offer, _host["target"], static (_, _) => Task.CompletedTask, TimeProvider.System);
        var status = await EndAsync(fetch);

        Assert.False(status.IsConverged);
        Assert.Contains("the disk could not be fetched", status.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_host["target"]));
    }

    /// <summary>By then a VM may be writing to it.</summary>
    [Fact]
    public async Task Fetch_OfADiskThatIsThereAlready_LeavesItAlone()
    {
        File.WriteAllBytes(_host["source"], new byte[4096]);
        File.WriteAllText(_host["target"], "in use");

        await using var fetch = new DiskFetch(_exports.Offer("op-1", _host["source"]), _host["target"], static (_, _) => Task.CompletedTask, TimeProvider.System);
        await EndAsync(fetch);

        Assert.Equal("in use", File.ReadAllText(_host["target"]));
        Assert.False(File.Exists(_host["target"] + HostPaths.PartSuffix));
    }

    [Fact]
    public void Offer_SameOperation_IsTheSameExport_AnotherIsAnother()
    {
        File.WriteAllBytes(_host["source"], new byte[4096]);

        var offer = _exports.Offer("op-1", _host["source"]);

        Assert.Equal(offer, _exports.Offer("op-1", _host["source"]));
        Assert.NotEqual(offer.Export, _exports.Offer("op-2", _host["source"]).Export);
    }

    private static async Task<TransferStatus> EndAsync(DiskFetch fetch)
    {
        while (true)
        {
            var status = await fetch.GetStatusAsync(Token);
            if (status.IsConverged || status.Error is not null) return status;
        }
    }
}
