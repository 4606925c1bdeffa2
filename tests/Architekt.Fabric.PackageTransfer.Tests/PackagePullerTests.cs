using Architekt.Fabric.Packages;
using Architekt.Fabric.Packages.Tests;

namespace Architekt.Fabric.PackageTransfer.Tests;

public sealed class PackagePullerTests : IAsyncLifetime
{
    private const int MiB = SparseDisk.MiB;
    private const long DiskSize = SparseDisk.Size;
    private const int DiskPieces = 16;

    private readonly TempFolder _source = new();
    private readonly TempFolder _destination = new();
    private StoredPackage _package = null!;
    private byte[] _manifest = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var blueprint = new TestBlueprint(_source);
        SparseDisk.WriteTo(blueprint, DiskPieces);
        var store = await _source.OpenStoreAsync();
        _package = await store.ImportAsync(blueprint.Folder, null, null, Cancellation);
        _manifest = await File.ReadAllBytesAsync(Path.Combine(_package.Folder, PackageManifest.FileName), Cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _source.Dispose();
        _destination.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task PullAsync_FromAHostThatHasIt_ReadsTheDataOnceAndSkipsHoles()
    {
        await using var host = new SourceHost(_package);
        using var pull = await BeginAsync();
        var reports = new List<PackageProgress>();

        await PackagePuller.PullAsync(pull, host.EndPoint, host.Names, null, new Listener(report => { lock (reports) reports.Add(report); }), Cancellation);
        var pulled = await pull.CommitAsync(["redis"], null, Cancellation);

        Assert.Equal((DiskPieces * MiB) + 5000 + 3000, host.BytesRead);
        Assert.InRange(TestBlueprint.AllocatedBytes(pulled.PathOf("disk")), DiskPieces * MiB, (DiskPieces + 1) * MiB);
        Assert.Equal(DiskSize + 5000 + 3000, reports.Max(report => report.BytesDone));
        await PackageStore.VerifyAsync(pulled, null, Cancellation);
    }

    [Fact]
    public async Task PullAsync_SourceEndsInTheMiddle_GoesOnFromAnotherOne()
    {
        using var pull = await BeginAsync();
        var first = new SourceHost(_package);
        var ended = Task.CompletedTask;
        var error = await Assert.ThrowsAsync<PackageTransferException>(() => PackagePuller.PullAsync(
            pull, first.EndPoint, first.Names, new PackagePullOptions { Connections = 1 }, AtHalf(pull, () => ended = first.DisposeAsync().AsTask()), Cancellation));
        await ended;
        Assert.Equal(PackageTransferErrorCode.SourceLost, error.Code);
        var kept = pull.BytesDone;
        Assert.InRange(kept, DiskSize / 2, DiskSize - 1);

        await using var second = new SourceHost(_package);
        await PackagePuller.PullAsync(pull, second.EndPoint, second.Names, null, null, Cancellation);

        await PackageStore.VerifyAsync(await pull.CommitAsync([], null, Cancellation), null, Cancellation);
        Assert.InRange(second.BytesRead, 1, (DiskPieces * MiB / 2) + 8000);
    }

    [Fact]
    public async Task PullAsync_PullerEndsInTheMiddle_AnotherProcessGoesOn()
    {
        await using var host = new SourceHost(_package);
        using (var pull = await BeginAsync())
        using (var interruption = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PackagePuller.PullAsync(
                pull, host.EndPoint, host.Names, new PackagePullOptions { Connections = 1 }, AtHalf(pull, interruption.Cancel), interruption.Token));
        }

        var before = host.BytesRead;
        using var again = await BeginAsync();
        await PackagePuller.PullAsync(again, host.EndPoint, host.Names, null, null, Cancellation);

        await PackageStore.VerifyAsync(await again.CommitAsync([], null, Cancellation), null, Cancellation);
        Assert.InRange(host.BytesRead - before, 1, (DiskPieces * MiB / 2) + 8000);
    }

    [Fact]
    public async Task PullAsync_SourceLiesAboutContent_NothingBecomesVisibleOrStays()
    {
        await using var host = new SourceHost(_package, liar: "disk");
        using (var pull = await BeginAsync())
        {
            await PackagePuller.PullAsync(pull, host.EndPoint, host.Names, null, null, Cancellation);
            var error = await Assert.ThrowsAsync<PackageException>(() => pull.CommitAsync(["redis"], null, Cancellation));
            Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
        }

        Assert.Empty(_destination.StoreContents());
    }

    [Fact]
    public async Task PullAsync_SourceLiesAboutASize_IsRefused()
    {
        await using var host = new SourceHost(_package, longer: "disk");
        using var pull = await BeginAsync();

        var error = await Assert.ThrowsAsync<PackageTransferException>(() => PackagePuller.PullAsync(pull, host.EndPoint, host.Names, null, null, Cancellation));

        Assert.Equal(PackageTransferErrorCode.SourceWrong, error.Code);
        Assert.Contains($"{DiskSize + 4096} bytes", error.Message);
    }

    [Fact]
    public async Task PullAsync_NobodyThere_IsALostSource()
    {
        var host = new SourceHost(_package);
        await host.DisposeAsync();
        using var pull = await BeginAsync();

        var error = await Assert.ThrowsAsync<PackageTransferException>(() => PackagePuller.PullAsync(pull, host.EndPoint, host.Names, null, null, Cancellation));

        Assert.Equal(PackageTransferErrorCode.SourceLost, error.Code);
    }

    private async Task<PackagePull> BeginAsync() =>
        await (await _destination.OpenStoreAsync()).BeginPullAsync(_manifest, _package.Digest, Cancellation);

    private static Listener AtHalf(PackagePull pull, Action act)
    {
        var done = 0;
        return new Listener(_ =>
        {
            if (pull.BytesDone >= DiskSize / 2 && Interlocked.Exchange(ref done, 1) == 0)
                act();
        });
    }
}
