namespace Architekt.Fabric.Nbd.Tests;

public sealed class FileExportTests
{
    private static readonly NbdExtentState _hole = NbdExtentState.Hole | NbdExtentState.Zero;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Holes_AreReportedPunchedAndKept()
    {
        await using var server = new TestServer();
        var path = Path.Combine(server.Folder, "disk");
        await using (var file = File.Create(path))
            file.SetLength(1 << 20);
        using var export = FileExport.Open("d", path);
        server.Server.AddExport(export);
        await using var client = await server.ConnectAsync("d");
        Assert.Equal([new NbdExtent(0, 1 << 20, _hole)], await client.GetExtentsAsync(0, 1 << 20, Token));

        await client.WriteAsync(64 << 10, Enumerable.Repeat((byte)1, 64 << 10).ToArray(), fua: true, Token);
        NbdExtent[] withData = [new(0, 64 << 10, _hole), new(64 << 10, 64 << 10, NbdExtentState.Data), new(128 << 10, (1 << 20) - (128 << 10), _hole)];
        Assert.Equal(withData, await client.GetExtentsAsync(0, 1 << 20, Token));

        await client.WriteZeroesAsync(64 << 10, 64 << 10, NbdZeroOptions.NoHole, Token);
        Assert.Equal(-1, File.ReadAllBytes(path).AsSpan().IndexOfAnyExcept((byte)0));
        await client.WriteZeroesAsync(0, 1 << 20, NbdZeroOptions.OnlyIfFast, Token);
        Assert.Equal([new NbdExtent(0, 1 << 20, _hole)], await client.GetExtentsAsync(0, 1 << 20, Token));

        await client.WriteAsync(0, new byte[] { 1 }, cancellationToken: Token);
        await client.TrimAsync(0, 1 << 20, cancellationToken: Token);
        Assert.Equal([new NbdExtent(0, 1 << 20, _hole)], await client.GetExtentsAsync(0, 1 << 20, Token));
    }

    [Fact]
    public async Task ReadOnlyFile_IsServedReadOnly()
    {
        await using var server = new TestServer();
        var path = Path.Combine(server.Folder, "disk");
        File.WriteAllBytes(path, [1, 2, 3]);
        using var export = FileExport.Open("d", path, new FileExportOptions { IsReadOnly = true, IsListed = false, Description = "text" });
        Assert.Equal((true, false, "text", true, 3), (export.IsReadOnly, export.IsListed, export.Description, export.CanMultiConn, export.Size));
        server.Server.AddExport(export);
        await using var client = await server.ConnectAsync("d");
        var read = new byte[3];
        await client.ReadAsync(0, read, Token);
        Assert.Equal([1, 2, 3], read);
        await client.FlushAsync(Token);
    }

    [Fact]
    public async Task FileMadeShorter_ReadFailsAndTheRestLives()
    {
        await using var server = new TestServer();
        var path = Path.Combine(server.Folder, "disk");
        File.WriteAllBytes(path, new byte[8192]);
        using var export = FileExport.Open("d", path);
        server.Server.AddExport(export);
        await using var client = await server.ConnectAsync("d");
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.SetLength(file, 4096);
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(0, new byte[8192], Token).AsTask());
        Assert.Equal(NbdError.InputOutput, error.Error);
        await client.ReadAsync(0, new byte[4096], Token);
    }

    [Fact]
    public async Task FullFileSystem_IsNoSpace()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("there is no /dev/full");
        using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.ReadWrite);
        var pool = new FileOperationPool(full, canPunch: false);
        Assert.Equal(NbdError.NoSpace, await pool.Run(FileOperationKind.Write, 0, 1, source: new byte[] { 1 }));
    }
}
