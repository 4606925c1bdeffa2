namespace Architekt.Fabric.Nbd.Tests;

public sealed class ExportRemovalTests
{
    private const uint Eshutdown = 108;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RemovedExport_LaterRequests_FailWithShutdown(bool structured)
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured);
        Assert.True(await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken));
        foreach (ushort command in new[] { 0, 1, 3, 4, 6 })
        {
            client.Request(command, command, 0, command == 3 ? 0u : 2u, 0, command == 1 ? [1, 2] : []);
            Assert.Equal(Eshutdown, client.Reply().Error);
        }

        Assert.False(await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<NbdConnectionException>(() => server.ConnectAsync("d"));
    }

    [Fact]
    public async Task RemovedExport_NameUsedAgain_OldConnectionsDoNotReachTheNewOne()
    {
        var replacement = new TestExport("d", 4096);
        await using var server = new TestServer(new TestExport("d", 4096));
        await using var client = await server.ConnectAsync("d");
        await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken);
        server.Server.AddExport(replacement);
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteAsync(0, new byte[] { 1 }, cancellationToken: TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(NbdError.ShuttingDown, error.Error);
        Assert.Equal(0, replacement.Data[0]);
    }

    [Fact]
    public async Task Remove_WithRequestInWork_WaitsForIt()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", 4096) { Before = _ => hold.Task };
        await using var server = new TestServer(new NbdServerOptions { DrainTimeout = TimeSpan.FromMinutes(5) }, export);
        await using var client = await server.ConnectAsync("d");
        var write = client.WriteAsync(0, new byte[] { 9 }, cancellationToken: TestContext.Current.CancellationToken).AsTask();
        await Until.TrueAsync(() => export.InWork == 1, "the write is in work");
        var removal = server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken).AsTask();
        Assert.False(removal.IsCompleted);
        hold.SetResult(NbdError.None);
        Assert.True(await removal);
        await write;
        Assert.Equal(9, export.Data[0]);
    }

    [Fact]
    public async Task Remove_ClientStallsInPayload_IsCutAndMemoryIsLeftAlone()
    {
        var memory = new byte[1 << 20];
        await using var server = new TestServer(new NbdServerOptions { DrainTimeout = TimeSpan.FromMilliseconds(100) }, new MemoryExport("d", memory));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(1, 1, 0, 1 << 20, 0, 5, 5, 5);
        await Until.TrueAsync(() => memory[2] == 5, "the start of the payload is in the memory");
        Assert.True(await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken));
        client.SendAsFarAsItGoes(new byte[1 << 20].Select(_ => (byte)6).ToArray());
        Assert.Equal(0, memory[3]);
        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "the connection is gone");
    }

    [Fact]
    public async Task Remove_ClientDoesNotReadItsReply_IsCut()
    {
        await using var server = new TestServer(new NbdServerOptions { DrainTimeout = TimeSpan.FromMilliseconds(100) }, new MemoryExport("d", new byte[32 << 20]));
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(0, 1, 0, 32 << 20);
        client.Receive(16);
        Assert.True(await server.Server.RemoveExportAsync("d", TestContext.Current.CancellationToken));
        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "the connection is gone");
    }

    [Fact]
    public async Task AddExport_NameTaken_Throws()
    {
        await using var server = new TestServer(new TestExport("d", 1));
        Assert.Throws<ArgumentException>(() => server.Server.AddExport(new TestExport("d", 1)));
        Assert.Throws<ArgumentException>(() => server.Server.AddExport(new TestExport("a\0b", 1)));
        Assert.Throws<ArgumentException>(() => server.Server.AddExport(new TestExport(new string('x', 4097), 1)));
    }
}
