using System.Net;
using System.Text.Json;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Packages.Tests;

namespace Architekt.Fabric.PackageTransfer.Tests;

public sealed class PackageExportsTests : IAsyncLifetime
{
    private readonly TempFolder _temp = new();
    private readonly NbdServer _server = new();
    private PackageStore _store = null!;
    private IPEndPoint _endPoint = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await _temp.OpenStoreAsync();
        var blueprint = new TestBlueprint(_temp);
        blueprint.ReplaceEntry("disk", file =>
        {
            file.SetLength(4 << 20);
            file.Position = 1 << 20;
            file.Write(new byte[65536].Select((_, index) => (byte)(index % 251)).ToArray());
        });
        await _store.ImportAsync(blueprint.Folder, null, null, Cancellation);
        _endPoint = (IPEndPoint)_server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _temp.Dispose();
    }

    [Fact]
    public async Task Open_Package_OtherPeoplesClientsReadIt()
    {
        Tool.SkipWithout("nbdinfo", "nbdcopy");
        await using var exports = await OpenAsync();
        var package = await _store.GetAsync("redis", Cancellation);
        var uri = new NbdUri(_endPoint, exports.Names["disk"]).ToString();

        var info = JsonDocument.Parse(await Task.Run(() => Tool.Run("nbdinfo", "--json", uri), Cancellation)).RootElement.GetProperty("exports")[0];
        Assert.Equal(4 << 20, info.GetProperty("export-size").GetInt64());
        Assert.True(info.GetProperty("is_read_only").GetBoolean());
        Assert.Contains("hole", await Task.Run(() => Tool.Run("nbdinfo", "--map", uri), Cancellation));

        var copy = _temp.PathOf("copy");
        await Task.Run(() => Tool.Run("nbdcopy", uri, copy), Cancellation);
        Assert.Equal(await File.ReadAllBytesAsync(package.PathOf("disk"), Cancellation), await File.ReadAllBytesAsync(copy, Cancellation));
    }

    [Fact]
    public async Task Open_Package_IsInNoListAndNamesDiffer()
    {
        await using var first = await OpenAsync();
        await using var second = await OpenAsync();

        Assert.Empty(await NbdClient.ListAsync(_endPoint, null, Cancellation));
        Assert.Equal(["disk", "initramfs", "kernel"], first.Names.Keys.Order());
        Assert.Empty(first.Names.Values.Intersect(second.Names.Values));
    }

    [Fact]
    public async Task DisposeAsync_WhileSomeoneIsConnected_EndsServingAndFreesThePackage()
    {
        var exports = await OpenAsync();
        await using var client = await NbdClient.ConnectAsync(_endPoint, exports.Names["disk"], null, Cancellation);
        var inUse = await Assert.ThrowsAsync<PackageException>(() => _store.DeleteAsync("redis", null, Cancellation));
        Assert.Equal(PackageErrorCode.InUse, inUse.Code);

        await exports.DisposeAsync();

        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(0, new byte[512], Cancellation).AsTask());
        Assert.Equal(NbdError.ShuttingDown, error.Error);
        await _store.DeleteAsync("redis", null, Cancellation);
        Assert.Empty(_temp.StoreContents());
    }

    private async Task<PackageExports> OpenAsync() => PackageExports.Open(_server, (await _store.TryUseAsync("redis", Cancellation))!);
}
