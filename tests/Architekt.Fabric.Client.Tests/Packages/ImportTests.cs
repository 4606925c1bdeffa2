using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Packages;

public sealed class ImportTests
{
    private static readonly PackageInfo _package = new(
        "host-a", "guest", "sha256-" + new string('b', 64), "blueprint", "x86_64", "q35", 1, 256L << 20, 1000, Samples.Start, []);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ImportPackageAsync_Runs_ReportsProgressAndReturnsThePackage()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Imports.Enqueue(new PackageImport(false, 0, 0, null, null, null));
        silo.World.Imports.Enqueue(new PackageImport(false, 500, 1000, null, null, null));
        silo.World.Imports.Enqueue(new PackageImport(true, 1000, 1000, _package, null, null));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var progress = new Recorder();

        var package = await client.ImportPackageAsync("host-a", "/srv/guest", "guest", progress, Token);

        Assert.Equal(_package.Digest, package.Digest);
        Assert.Equal([0, 500, 1000], progress.Seen);
    }

    [Fact]
    public async Task ImportPackageAsync_Fails_GivesTheReason()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Imports.Enqueue(new PackageImport(true, 0, 0, null, FabricErrorCode.NotFound, "There is no folder '/srv/guest'."));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.ImportPackageAsync("host-a", "/srv/guest", "guest", null, Token));

        Assert.Equal((FabricErrorCode.NotFound, "There is no folder '/srv/guest'."), (error.Code, error.Message));
    }

    [Fact]
    public async Task ImportPackageAsync_RelativePath_IsRefusedHere()
    {
        await using var client = new FabricClient(new FabricClientOptions());

        var error = await Assert.ThrowsAsync<FabricException>(() => client.ImportPackageAsync("host-a", "guest", "guest", null, Token));

        Assert.Equal(FabricErrorCode.InvalidArgument, error.Code);
    }

    private sealed class Recorder : IProgress<PackageImport>
    {
        public List<long> Seen { get; } = [];

        public void Report(PackageImport value) => Seen.Add(value.BytesDone);
    }
}
