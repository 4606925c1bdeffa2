namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdMultiConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    public async Task Connect_OpensSeveralOnlyIfTheServerPromisesWhatThatNeeds(bool canMultiConn, int expected)
    {
        await using var server = new TestServer(new TestExport("d", 4096) { CanMultiConn = canMultiConn });
        await using var client = await NbdMultiConnection.ConnectAsync(server.EndPoint, "d", 4, null, Token);
        Assert.Equal(expected, client.ConnectionCount);
        Assert.Equal(expected, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Requests_SpreadOverTheConnections()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", 4096) { CanMultiConn = true, Before = _ => hold.Task };

        // One request at a time and connection: all in work at once means that each has its own.
        await using var server = new TestServer(new NbdServerOptions { MaxRequestsInFlight = 1 }, export);
        await using var client = await NbdMultiConnection.ConnectAsync(server.EndPoint, "d", 4, null, Token);
        var reads = Enumerable.Range(0, 4).Select(_ => client.ReadAsync(0, new byte[8], Token).AsTask()).ToArray();
        await Until.TrueAsync(() => export.InWork == 4, "four reads are in work");
        hold.SetResult(NbdError.None);
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task Flush_CoversCompletedWritesOfAllConnections()
    {
        // An export that is durable only up to the last flush.
        var written = 0;
        var durable = 0;
        var memory = new byte[1 << 20];
        var export = new MemoryExport("d", memory, new MemoryExportOptions
        {
            Written = (_, _) => Interlocked.Increment(ref written),
            Flush = _ =>
            {
                Volatile.Write(ref durable, Volatile.Read(ref written));
                return ValueTask.CompletedTask;
            },
        });
        await using var server = new TestServer(export);
        await using var client = await NbdMultiConnection.ConnectAsync(server.EndPoint, "d", 4, null, Token);
        for (var round = 1; round <= 20; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 16).Select(i => client.WriteAsync(i * 4096, new byte[4096], cancellationToken: Token).AsTask()));
            await client.FlushAsync(Token);
            Assert.Equal(round * 16, Volatile.Read(ref durable));
        }
    }

    [Fact]
    public async Task LongRequests_RoundTrip()
    {
        var memory = new byte[80 << 20];
        await using var server = new TestServer(new MemoryExport("d", memory));
        await using var client = await NbdMultiConnection.ConnectAsync(server.EndPoint, "d", 3, null, Token);
        var data = new byte[70 << 20];
        Random.Shared.NextBytes(data);
        await client.WriteAsync(1, data, cancellationToken: Token);
        Assert.True(memory.AsSpan(1, data.Length).SequenceEqual(data));
        var read = new byte[data.Length];
        await client.ReadAsync(1, read, Token);
        Assert.True(read.AsSpan().SequenceEqual(data));
    }

    [Fact]
    public async Task ConnectionLost_NoFurtherRequestIsTaken()
    {
        var server = new TestServer(new MemoryExport("d", new byte[4096]));
        await using var client = await NbdMultiConnection.ConnectAsync(server.EndPoint, "d", 2, null, Token);
        await server.DisposeAsync();
        for (var i = 0; i < 4; i++)
            await Assert.ThrowsAsync<NbdConnectionException>(() => client.ReadAsync(0, new byte[1], Token).AsTask());
    }
}
