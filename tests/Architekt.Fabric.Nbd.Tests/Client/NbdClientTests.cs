namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<bool> Modes => [false, true];

    private static NbdClientOptions Options(bool structured) => new() { StructuredReplies = structured, AllocationContext = structured };

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task EveryCommand_RoundTrips(bool structured)
    {
        var export = new TestExport("d", 1 << 20) { CanFastZero = true };
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d", Options(structured));
        Assert.Equal((1 << 20, structured, structured), (client.Size, client.HasStructuredReplies, client.CanGetExtents));
        Assert.Equal(new NbdBlockSizes(1, 4096, 32 << 20), client.BlockSizes);

        var data = new byte[100_000];
        Random.Shared.NextBytes(data);
        await client.WriteAsync(5000, data, cancellationToken: Token);
        var read = new byte[data.Length];
        await client.ReadAsync(5000, read, Token);
        Assert.Equal(data, read);
        Assert.Equal(0, export.Flushes);
        await client.FlushAsync(Token);
        await client.WriteAsync(0, new byte[] { 1 }, fua: true, Token);
        Assert.Equal(2, export.Flushes);
        await client.WriteZeroesAsync(5000, 1000, NbdZeroOptions.ForceUnitAccess | NbdZeroOptions.OnlyIfFast, Token);
        await client.WriteZeroesAsync(6000, 1000, NbdZeroOptions.NoHole, Token);
        Assert.Equal(-1, export.Data.AsSpan(5000, 2000).IndexOfAnyExcept((byte)0));
        await client.TrimAsync(0, 4096, fua: true, Token);
        Assert.Equal(4, export.Flushes);
    }

    [Fact]
    public async Task GetExtents_CoverTheRangeExactly()
    {
        var export = new TestExport("d", 100 * 4096);
        export.Data[10 * 4096] = 1;
        export.Data[99 * 4096] = 1;
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        var hole = NbdExtentState.Hole | NbdExtentState.Zero;
        Assert.Equal(
            [new(5, (10 * 4096) - 5, hole), new(10 * 4096, 4096, NbdExtentState.Data), new(11 * 4096, 88 * 4096, hole), new(99 * 4096, 4000, NbdExtentState.Data)],
            await client.GetExtentsAsync(5, (99 * 4096) + 4000 - 5, Token));
        Assert.Empty(await client.GetExtentsAsync(5, 0, Token));
    }

    [Fact]
    public async Task GetExtents_ExportWithManyRuns_AsksUntilCovered()
    {
        // More runs than one reply holds.
        var export = new TestExport("d", 40_000 * 4096);
        for (var i = 0; i < 40_000; i += 2)
            export.Data[i * 4096] = 1;
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        var extents = await client.GetExtentsAsync(0, export.Size, Token);
        Assert.Equal(40_000, extents.Count);
        Assert.Equal(export.Size, extents[^1].End);
    }

    [Fact]
    public async Task LongRequests_AreSplitAndPutTogether()
    {
        var export = new TestExport("d", 80 << 20);
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        var data = new byte[70 << 20];
        Random.Shared.NextBytes(data);
        await client.WriteAsync(3 << 20, data, cancellationToken: Token);
        Assert.True(export.Data.AsSpan(3 << 20, data.Length).SequenceEqual(data));
        var read = new byte[data.Length];
        await client.ReadAsync(3 << 20, read, Token);
        Assert.True(read.AsSpan().SequenceEqual(data));
        await client.WriteZeroesAsync(0, 80 << 20, cancellationToken: Token);
        Assert.Equal(-1, export.Data.AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task ManyCallers_RepliesOutOfOrder_EachGetsItsOwn(bool structured)
    {
        var export = new TestExport("d", 1 << 20)
        {
            Before = async _ =>
            {
                for (var i = Random.Shared.Next(4); i > 0; i--)
                    await Task.Yield();
                return NbdError.None;
            },
        };
        for (var i = 0; i < export.Data.Length / 4; i++)
            BitConverter.TryWriteBytes(export.Data.AsSpan(i * 4), i);
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d", new NbdClientOptions { StructuredReplies = structured, AllocationContext = structured, MaxRequestsInFlight = 16 });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(caller => Task.Run(
            async () =>
            {
                var buffer = new byte[64];
                for (var i = 0; i < 20; i++)
                {
                    var at = Random.Shared.Next(export.Data.Length - 64) / 4 * 4;
                    await client.ReadAsync(at, buffer, Token);
                    Assert.Equal(at / 4, BitConverter.ToInt32(buffer));
                    Assert.Equal((at / 4) + 15, BitConverter.ToInt32(buffer.AsSpan(60)));
                }
            },
            Token)));
        Assert.Equal(0, client.InFlight);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task RefusedRequest_ThrowsWithTheErrorAndConnectionLives(bool structured)
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        await using var client = await server.ConnectAsync("d", Options(structured));
        var read = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(4000, new byte[100], Token).AsTask());
        Assert.Equal(NbdError.Invalid, read.Error);
        Assert.Contains("Read of 100 bytes at 4000 of export 'd'", read.Message, StringComparison.Ordinal);
        var write = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteAsync(4096, new byte[1], cancellationToken: Token).AsTask());
        Assert.Equal(NbdError.NoSpace, write.Error);
        var zero = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteZeroesAsync(0, 4096, NbdZeroOptions.OnlyIfFast, Token).AsTask());
        Assert.Equal(NbdError.NotSupported, zero.Error);
        await client.ReadAsync(0, new byte[1], Token);
    }

    [Fact]
    public async Task Corked_Requests_AreSentWithUncork()
    {
        var export = new TestExport("d", 4096);
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        await using var other = await server.ConnectAsync("d");
        client.Cork();
        var writes = Enumerable.Range(1, 100).Select(i => client.WriteAsync(i, new[] { (byte)i }, cancellationToken: Token).AsTask()).ToList();

        await other.FlushAsync(Token);
        Assert.Equal(-1, export.Data.AsSpan().IndexOfAnyExcept((byte)0));
        client.Uncork();
        await Task.WhenAll(writes);

        Assert.Equal(Enumerable.Range(0, 101).Select(i => (byte)i), export.Data[..101]);
        await client.FlushAsync(Token);
    }

    [Fact]
    public async Task Corked_MoreThanIsKept_IsSentMeanwhile()
    {
        await using var server = new TestServer(new TestExport("d", 1 << 20));
        await using var client = await server.ConnectAsync("d", new NbdClientOptions { MaxRequestsInFlight = 4 });
        client.Cork();

        await client.WriteAsync(0, new byte[512 << 10], cancellationToken: Token);
        // More small ones than may be in flight: those that wait for their turn send the others.
        var writes = Enumerable.Range(0, 5).Select(i => client.WriteAsync(i, new byte[1], cancellationToken: Token).AsTask()).ToList();
        await Task.WhenAll(writes[..4]);
        client.Uncork();
        await writes[4];
    }

    [Fact]
    public async Task ReadOnlyExport_Write_IsRefusedWithoutSending()
    {
        var export = new TestExport("d", 4096) { IsReadOnly = true };
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteAsync(0, new byte[1], cancellationToken: Token).AsTask());
        Assert.Equal(NbdError.NotPermitted, error.Error);
    }

    [Fact]
    public async Task Connect_UnknownExport_SaysSo()
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        var error = await Assert.ThrowsAsync<NbdConnectionException>(() => server.ConnectAsync("nobody"));
        Assert.Equal(NbdRefusal.UnknownExport, error.Refusal);
        Assert.Contains("nobody", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_ShowsWhatIsNotHidden()
    {
        await using var server = new TestServer(
            new TestExport("b", 2) { Description = "second" },
            new TestExport("a", 1) { IsReadOnly = true },
            new TestExport("hidden", 3) { IsListed = false });
        var exports = await NbdClient.ListAsync(server.EndPoint, null, Token);
        Assert.Equal([("a", null, 1), ("b", "second", 2)], exports.Select(export => (export.Name, export.Description, export.Size)));
        Assert.True(exports[0].Flags.HasFlag(NbdFeatures.ReadOnly));
    }

    [Fact]
    public async Task Cancelled_WhileWaitingForItsTurn_EndsAtOnceAndFreesNothingItDidNotHave()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", 4096) { Before = _ => hold.Task };
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d", new NbdClientOptions { MaxRequestsInFlight = 1 });
        var first = client.ReadAsync(0, new byte[1], Token).AsTask();
        using var cancel = new CancellationTokenSource();
        var second = client.ReadAsync(0, new byte[1], cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        hold.SetResult(NbdError.None);
        await first;
        await client.ReadAsync(0, new byte[1], Token);
    }

    [Fact]
    public async Task Dispose_SaysGoodbyeAndLaterRequestsAreRefused()
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        var client = await server.ConnectAsync("d");
        await client.DisposeAsync();
        await client.DisposeAsync();
        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "the connection is gone");
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ReadAsync(0, new byte[1], Token).AsTask());
    }

    [Fact]
    public async Task Dispose_RequestPending_StillGetsItsReply()
    {
        var hold = new TaskCompletionSource<NbdError>(TaskCreationOptions.RunContinuationsAsynchronously);
        var export = new TestExport("d", 4096) { Before = _ => hold.Task };
        await using var server = new TestServer(export);
        var client = await server.ConnectAsync("d");
        var write = client.WriteAsync(0, new byte[] { 5 }, cancellationToken: Token).AsTask();
        await Until.TrueAsync(() => export.InWork == 1, "the write is in work");
        var disposal = client.DisposeAsync().AsTask();
        hold.SetResult(NbdError.None);
        await write;
        await disposal;
        Assert.Equal(5, export.Data[0]);
    }
}
