using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Packages.Tests;

namespace Architekt.Fabric.PackageTransfer.Tests;

public sealed class PackageUploaderTests : IAsyncLifetime
{
    private const int MiB = SparseDisk.MiB;
    private const long DiskSize = SparseDisk.Size;
    private const int DiskPieces = 64;

    private readonly TempFolder _source = new();
    private readonly TempFolder _target = new();
    private readonly NbdServer _server = new();
    private TestBlueprint _blueprint = null!;
    private IPEndPoint _endPoint = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _blueprint = new TestBlueprint(_source);
        SparseDisk.WriteTo(_blueprint, DiskPieces);
        _endPoint = (IPEndPoint)_server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _source.Dispose();
        _target.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UploadAsync_FolderOrArchive_ArrivesWithItsHoles(bool isArchive)
    {
        using var content = PackageContent.Open(isArchive ? await ArchiveAsync() : _blueprint.Folder);
        await using var intake = await OpenAsync(content);
        var reports = new List<PackageProgress>();

        await UploadAsync(content, intake, new Listener(reports.Add));
        var arrived = await intake.CommitAsync(["redis"], null, Cancellation);

        Assert.Equal((content.Digest, "redis"), (arrived.Digest, Assert.Single(arrived.Names)));
        await PackageStore.VerifyAsync(arrived, null, Cancellation);
        Assert.InRange(TestBlueprint.AllocatedBytes(arrived.PathOf("disk")), DiskPieces * MiB, (DiskPieces + 1) * MiB);
        Assert.Equal(content.BytesTotal, reports[^1].BytesDone);
        Assert.Equal(reports.Select(report => report.BytesDone).Order(), reports.Select(report => report.BytesDone));
    }

    [Fact]
    public async Task UploadAsync_InterruptedInTheMiddle_SendsOnlyTheRestTheNextTime()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        using (var interruption = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        await using (var intake = await OpenAsync(content))
        {
            var half = new Listener(report =>
            {
                if (report.BytesDone >= DiskSize * 3 / 4) interruption.Cancel();
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => UploadAsync(content, intake, half, interruption.Token));
        }

        await using var again = await OpenAsync(content);

        Assert.InRange(again.Missing["disk"].Sum(range => range.Length), MiB, DiskSize * 5 / 8);
        Assert.Empty(again.Missing["kernel"]);
        await UploadAsync(content, again);
        await PackageStore.VerifyAsync(await again.CommitAsync([], null, Cancellation), null, Cancellation);
    }

    [Fact]
    public async Task UploadAsync_DamagedPackage_IsNamedAndCanBeThrownAway()
    {
        var disk = await File.ReadAllBytesAsync(_blueprint.PathOf("initramfs"), Cancellation);
        disk[7] ^= 1;
        await File.WriteAllBytesAsync(_blueprint.PathOf("initramfs"), disk, Cancellation);
        using var content = PackageContent.Open(_blueprint.Folder);
        await using (var intake = await OpenAsync(content))
        {
            var error = await Assert.ThrowsAsync<PackageException>(() => UploadAsync(content, intake));
            Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
            Assert.Contains("'initramfs'", error.Message);
            await intake.DiscardAsync();
        }

        Assert.Empty(_target.StoreContents());
    }

    [Fact]
    public async Task CommitAsync_SomethingElseWasWritten_NothingBecomesVisibleOrStays()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        await using (var intake = await OpenAsync(content))
        {
            await UploadAsync(content, intake);
            await using (var intruder = await NbdClient.ConnectAsync(_endPoint, intake.Names["disk"], null, Cancellation))
                await intruder.WriteAsync(5, new byte[] { 1, 2, 3 }, cancellationToken: Cancellation);

            var error = await Assert.ThrowsAsync<PackageException>(() => intake.CommitAsync(["redis"], null, Cancellation));
            Assert.Equal(PackageErrorCode.DigestMismatch, error.Code);
        }

        Assert.Empty(_target.StoreContents());
    }

    [Fact]
    public async Task CommitAsync_SomethingIsMissing_IsRefused()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        await using var intake = await OpenAsync(content);

        var error = await Assert.ThrowsAsync<PackageException>(() => intake.CommitAsync([], null, Cancellation));

        Assert.Equal(PackageErrorCode.Invalid, error.Code);
    }

    [Fact]
    public async Task UploadAsync_IntakeIsClosed_IsALostTarget()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        var intake = await OpenAsync(content);
        var (names, missing) = (intake.Names, intake.Missing);
        await intake.DisposeAsync();

        var error = await Assert.ThrowsAsync<PackageTransferException>(
            () => PackageUploader.UploadAsync(content, _endPoint, names, missing, null, Cancellation));

        Assert.Equal(PackageTransferErrorCode.TargetLost, error.Code);
    }

    [Fact]
    public async Task Open_Intake_CannotBeRead()
    {
        using var content = PackageContent.Open(_blueprint.Folder);
        await using var intake = await OpenAsync(content);
        await using var client = await NbdClient.ConnectAsync(_endPoint, intake.Names["kernel"], null, Cancellation);

        Assert.Empty(await NbdClient.ListAsync(_endPoint, null, Cancellation));
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(0, new byte[512], Cancellation).AsTask());
        Assert.Equal(NbdError.NotPermitted, error.Error);
    }

    private async Task<PackageIntake> OpenAsync(PackageContent content) => PackageIntake.Open(
        _server, await (await _target.OpenStoreAsync()).BeginPullAsync(content.ManifestBytes.ToArray(), content.Digest, Cancellation));

    private Task UploadAsync(PackageContent content, PackageIntake intake, Listener? progress = null, CancellationToken? cancellation = null) =>
        PackageUploader.UploadAsync(content, _endPoint, intake.Names, intake.Missing, progress, cancellation ?? Cancellation);

    private async Task<string> ArchiveAsync()
    {
        var package = await (await _source.OpenStoreAsync()).ImportAsync(_blueprint.Folder, null, null, Cancellation);
        return (await ArkWriter.WriteAsync(package, _source.PathOf("redis.ark"), null, null, Cancellation)).Path;
    }
}
