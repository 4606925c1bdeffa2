using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>The client against servers that are old, broken, silent or gone.</summary>
public sealed class ServerBehaviourTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OldServer_WithoutGo_IsOpenedByExportName()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await stream.WriteAsync((byte[])[.. "NBDMAGICIHAVEOPT"u8, 0, 1]);
            Assert.Equal([0, 0, 0, 1], await ScriptedServer.ReceiveAsync(stream, 4));
            for (var option = await ScriptedServer.ReceiveAsync(stream, 16); option[11] != 1; option = await ScriptedServer.ReceiveAsync(stream, 16))
            {
                await ScriptedServer.ReceiveAsync(stream, option[15]);
                await ScriptedServer.ReplyAsync(stream, option[11], 0x80000001);
            }

            Assert.Equal("old", System.Text.Encoding.UTF8.GetString(await ScriptedServer.ReceiveAsync(stream, 3)));
            await stream.WriteAsync((byte[])[0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, .. new byte[124]]);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.SimpleAsync(stream, cookie, 0, 7, 8);
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "old", null, Token);
        Assert.Equal((4096, false), (client.Size, client.HasStructuredReplies));
        var read = new byte[2];
        await client.ReadAsync(0, read, Token);
        Assert.Equal([7, 8], read);
        var flush = await Assert.ThrowsAsync<NbdClientException>(() => client.FlushAsync(Token).AsTask());
        Assert.Equal(NbdError.NotSupported, flush.Error);
    }

    [Fact]
    public async Task OldStyleServer_IsRefusedWithTheReason()
    {
        await using var server = new ScriptedServer(stream => stream.WriteAsync((byte[])[.. "NBDMAGIC"u8, 0, 0, 0x42, 2, 0x81, 0x86, 0x12, 0x53, .. new byte[136]]).AsTask());
        var error = await Assert.ThrowsAsync<NbdConnectionException>(() => NbdClient.ConnectAsync(server.EndPoint, "", null, Token));
        Assert.Contains("oldstyle", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilentServer_ConnectTimesOut()
    {
        var release = new TaskCompletionSource();
        await using (var server = new ScriptedServer(_ => release.Task))
        {
            var error = await Assert.ThrowsAsync<NbdConnectionException>(
                () => NbdClient.ConnectAsync(server.EndPoint, "", new NbdClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(50) }, Token));
            Assert.Contains("did not answer", error.Message, StringComparison.Ordinal);
            release.SetResult();
        }
    }

    [Fact]
    public async Task NobodyThere_ConnectFails() => await Assert.ThrowsAsync<NbdConnectionException>(
        () => NbdClient.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint("/nowhere/at/all"), "", null, Token));

    [Fact]
    public async Task FragmentedRead_ChunksInAnyOrder_AreAssembled()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: true);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.ChunkAsync(stream, cookie, 1, done: false, [0, 0, 0, 0, 0, 0, 0, 106, 7, 8]);
            await ScriptedServer.ChunkAsync(stream, cookie, 2, done: false, [0, 0, 0, 0, 0, 0, 0, 102, 0, 0, 0, 4]);
            await ScriptedServer.ChunkAsync(stream, cookie, 1, done: false, [0, 0, 0, 0, 0, 0, 0, 100, 1, 2]);
            await ScriptedServer.ChunkAsync(stream, cookie, 0, done: true);
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        var read = Enumerable.Repeat((byte)9, 8).ToArray();
        await client.ReadAsync(100, read, Token);
        Assert.Equal([1, 2, 0, 0, 0, 0, 7, 8], read);
    }

    [Theory]
    [InlineData(0x8001, "0000000500036261640000", false)]
    [InlineData(0x8001, "000000050003626164", true)]
    [InlineData(0x8002, "0000000500036261640000000000000064", true)]
    [InlineData(0x8fff, "000000050003626164", true)]
    public async Task StructuredError_CarriesItsTextAndConnectionLives(ushort type, string hex, bool done)
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: true);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.ChunkAsync(stream, cookie, type, done, Convert.FromHexString(hex));
            if (!done)
                await ScriptedServer.ChunkAsync(stream, cookie, 0, done: true);
            (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.ChunkAsync(stream, cookie, 0, done: true);
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(100, new byte[8], Token).AsTask());
        Assert.Equal(NbdError.InputOutput, error.Error);
        Assert.Contains("bad", error.Message, StringComparison.Ordinal);
        await client.FlushAsync(Token);
    }

    [Theory]
    [InlineData("data before the range", 1, "000000000000006301")]
    [InlineData("data after the range", 1, "000000000000006c01")]
    [InlineData("data over the end", 1, "000000000000006b0102")]
    [InlineData("data at a huge offset", 1, "ffffffffffffffff01")]
    [InlineData("too little data", 1, "000000000000006401")]
    [InlineData("no data in a data chunk", 1, "0000000000000064")]
    [InlineData("a hole over the end", 2, "0000000000000064ffffffff")]
    [InlineData("an unknown chunk", 3, "00")]
    [InlineData("extents for a read", 5, "0000004d0000000100000000")]
    [InlineData("an error without an error", 0x8001, "000000000000")]
    [InlineData("an error text longer than its chunk", 0x8001, "00000005ffff")]
    [InlineData("nothing", 0, "")]
    public async Task NonsenseReply_EndsTheConnection(string what, ushort type, string hex)
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: true);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.ChunkAsync(stream, cookie, type, done: true, Convert.FromHexString(hex));
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        var error = await Assert.ThrowsAsync<NbdConnectionException>(() => client.ReadAsync(100, new byte[8], Token).AsTask());
        Assert.True(error.Message.Contains("broke the protocol", StringComparison.Ordinal), what);
        Assert.False(client.IsOpen);
        await Assert.ThrowsAsync<NbdConnectionException>(() => client.FlushAsync(Token).AsTask());
    }

    [Fact]
    public async Task UnknownCookie_EndsTheConnection()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: false);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            cookie[0]++;
            await ScriptedServer.SimpleAsync(stream, cookie, 0);
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        await Assert.ThrowsAsync<NbdConnectionException>(() => client.FlushAsync(Token).AsTask());
    }

    [Fact]
    public async Task ConnectionLost_FailsEverythingPendingAndWaiting()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: false);
            var (_, cookie, _) = await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.RequestAsync(stream);
            await ScriptedServer.SimpleAsync(stream, cookie, 0, 1, 2, 3);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", new NbdClientOptions { MaxRequestsInFlight = 2 }, Token);
        Task[] pending = [client.ReadAsync(0, new byte[8], Token).AsTask(), client.ReadAsync(0, new byte[8], Token).AsTask(), client.ReadAsync(0, new byte[8], Token).AsTask()];
        foreach (var task in pending)
            await Assert.ThrowsAsync<NbdConnectionException>(() => task);
        Assert.Equal(0, client.InFlight);
    }

    [Fact]
    public async Task ConnectionLost_WhileAWriteIsBeingSent_FailsIt()
    {
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: false);
            await ScriptedServer.RequestAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        await Assert.ThrowsAsync<NbdConnectionException>(() => client.WriteAsync(0, new byte[30 << 20], cancellationToken: Token).AsTask());
    }

    [Fact]
    public async Task StalledServer_CountsAsLostAfterTheTimeout()
    {
        var time = new FakeTimeProvider();
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: false);
            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", new NbdClientOptions { TimeProvider = time, StallTimeout = TimeSpan.FromSeconds(40) }, Token);

        // Silence alone is no stall.
        for (var i = 0; i < 20; i++)
            time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(client.IsOpen);
        var flush = client.FlushAsync(Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(flush.IsCompleted);
        for (var i = 0; i < 5; i++)
            time.Advance(TimeSpan.FromSeconds(10));
        var error = await Assert.ThrowsAsync<NbdConnectionException>(() => flush);
        Assert.Contains("has not answered for 40 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerWithoutFua_ForcedWrite_FlushesAfterwards()
    {
        var commands = new List<ushort>();
        await using var server = new ScriptedServer(async stream =>
        {
            await ScriptedServer.GreetAsync(stream, structured: false, without: NbdFeatures.ForceUnitAccess);
            for (var i = 0; i < 2; i++)
            {
                var (command, cookie, length) = await ScriptedServer.RequestAsync(stream);
                commands.Add(command);
                await ScriptedServer.ReceiveAsync(stream, (int)length);
                await ScriptedServer.SimpleAsync(stream, cookie, 0);
            }

            await ScriptedServer.UntilClosedAsync(stream);
        });
        await using var client = await NbdClient.ConnectAsync(server.EndPoint, "", null, Token);
        await client.WriteAsync(0, new byte[3], fua: true, Token);
        Assert.Equal([1, 3], commands);
    }
}
