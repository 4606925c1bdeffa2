using System.Net;
using Architekt.Fabric.Client.Tests.Fakes;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Packages.Tests;
using Architekt.Fabric.PackageTransfer;

namespace Architekt.Fabric.Client.Tests.Packages;

/// <summary>A real package and a real place to send it to, behind fake grains.</summary>
public sealed class UploadTests : IAsyncDisposable
{
    private static readonly PackageInfo _package = new(
        "host-a", "guest", "sha256-" + new string('b', 64), "blueprint", "x86_64", "q35", 1, 256L << 20, 1000, Samples.Start, []);

    private readonly TempFolder _source = new();
    private readonly TempFolder _target = new();
    private readonly NbdServer _server = new();
    private readonly IPEndPoint _endPoint;
    private readonly TestBlueprint _blueprint;

    public UploadTests()
    {
        _blueprint = new TestBlueprint(_source);
        _endPoint = (IPEndPoint)_server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _source.Dispose();
        _target.Dispose();
    }

    [Fact]
    public async Task UploadPackageAsync_HostLacksIt_SendsItAndHasItCommitted()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var intake = await OpenAsync();
        silo.World.UploadOffers.Enqueue(Offer("one", intake));
        silo.World.Imports.Enqueue(new PackageImport(false, 500, 1000, null, null, null));
        silo.World.Imports.Enqueue(new PackageImport(true, 1000, 1000, _package, null, null));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var seen = new List<double>();

        var sent = await client.UploadPackageAsync("host-a", _blueprint.Folder, "guest", new Recorder(seen), Token);

        Assert.Equal(_package.Digest, sent.Digest);
        Assert.Equal(["one"], silo.World.Committed);
        Assert.All(intake.Missing, entry => Assert.Empty(entry.Value));
        Assert.Equal([0.5, 0.75, 1], seen.Where(share => share >= 0.5));
    }

    [Fact]
    public async Task UploadPackageAsync_HostHasIt_SendsNothing()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.UploadOffers.Enqueue(new PackageUploadOffer("", "", 0, new Dictionary<string, string>(), [], _package));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        Assert.Equal(_package.Digest, (await client.UploadPackageAsync("host-a", _blueprint.Folder, "guest", null, Token)).Digest);
        Assert.Empty(silo.World.Committed);
    }

    [Fact]
    public async Task UploadPackageAsync_HostEndsInTheMiddle_AsksForAnotherOfferAndGoesOn()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var lost = await OpenAsync();
        silo.World.UploadOffers.Enqueue(Offer("lost", lost));
        await lost.DisposeAsync();
        await using var intake = await OpenAsync();
        silo.World.UploadOffers.Enqueue(Offer("one", intake));
        silo.World.Imports.Enqueue(new PackageImport(true, 1000, 1000, _package, null, null));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        await client.UploadPackageAsync("host-a", _blueprint.Folder, "guest", null, Token);

        Assert.Equal(["one"], silo.World.Committed);
        Assert.Contains("lost", silo.World.Closed);
    }

    [Fact]
    public async Task UploadPackageAsync_DamagedPackage_IsDiscardedAndNamed()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var intake = await OpenAsync();
        silo.World.UploadOffers.Enqueue(Offer("one", intake));
        var kernel = await File.ReadAllBytesAsync(_blueprint.PathOf("kernel"), Token);
        kernel[0] ^= 1;
        await File.WriteAllBytesAsync(_blueprint.PathOf("kernel"), kernel, Token);
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.UploadPackageAsync("host-a", _blueprint.Folder, "guest", null, Token));

        Assert.Equal(FabricErrorCode.Failed, error.Code);
        Assert.Contains("'kernel'", error.Message);
        Assert.Equal(["one"], silo.World.Discarded);
        Assert.Empty(silo.World.Committed);
    }

    [Fact]
    public async Task UploadPackageAsync_NoPackageThere_IsNotFoundWithoutAskingTheFabric()
    {
        await using var client = new FabricClient(new FabricClientOptions());

        var error = await Assert.ThrowsAsync<FabricException>(() => client.UploadPackageAsync("host-a", _source.PathOf("none"), "guest", null, Token));

        Assert.Equal(FabricErrorCode.NotFound, error.Code);
    }

    private async Task<PackageIntake> OpenAsync()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        return PackageIntake.Open(_server, await (await _target.OpenStoreAsync()).BeginPullAsync(content.ManifestBytes.ToArray(), content.Digest, Token));
    }

    private PackageUploadOffer Offer(string token, PackageIntake intake) => new(
        token,
        $"{_endPoint.Address}",
        _endPoint.Port,
        intake.Names,
        [.. intake.Missing.SelectMany(entry => entry.Value.Select(range => new PackageGap(entry.Key, range.Offset, range.Length)))],
        null);

    private sealed class Recorder(List<double> seen) : IProgress<PackageImport>
    {
        public void Report(PackageImport value)
        {
            var share = (double)value.BytesDone / value.BytesTotal;
            if (seen.Count == 0 || seen[^1] != share) seen.Add(share);
        }
    }
}
