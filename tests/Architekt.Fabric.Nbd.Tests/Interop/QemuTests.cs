namespace Architekt.Fabric.Nbd.Tests;

public sealed class QemuTests
{
    [Theory]
    [InlineData("memory")]
    [InlineData("file")]
    [InlineData("array")]
    public async Task QemuIo_PatternsSurviveEveryKindOfWrite(string kind)
    {
        await using var server = new TestServer();
        var path = Path.Combine(server.Folder, "disk");
        await using (var file = File.Create(path))
            file.SetLength(8 << 20);
        using var export = FileExport.Open("d", path);
        server.Server.AddExport(kind switch { "memory" => new MemoryExport("d", new byte[8 << 20]), "array" => new TestExport("d", 8 << 20), _ => export });
        var output = await Tool.MustRunAsync(
            "qemu-io",
            ["-f", "raw", .. Commands("write -P 0x5a 0 1M", "write -f -P 0x6b 4097 1021", "read -P 0x5a 0 4097", "read -P 0x6b 4097 1021", "write -z 64k 64k", "read -P 0 64k 64k",
                "write -z -u 256k 256k", "read -P 0 256k 256k", "discard 512k 128k", "write -P 0x11 512k 128k", "flush", "read -P 0x11 512k 128k", "aio_write -P 0x22 2M 1M", "aio_write -P 0x33 3M 1M",
                "aio_flush", "aio_read -P 0x22 2M 1M", "aio_read -P 0x33 3M 1M", "aio_flush", "read -P 0 7M 1M"), server.Uri("d")]);
        Assert.DoesNotContain("verification failed", output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("failed", output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task QemuIo_WrongPattern_IsNoticed()
    {
        await using var server = new TestServer(new MemoryExport("d", new byte[1 << 20]));
        var (_, output) = await Tool.RunAsync("qemu-io", ["-f", "raw", .. Commands("read -P 1 0 4k"), server.Uri("d")]);
        Assert.Contains("Pattern verification failed", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QemuImg_ConvertComparesAndMaps()
    {
        await using var server = new TestServer();
        var source = Path.Combine(server.Folder, "source");
        var data = new byte[4 << 20];
        new Random(3).NextBytes(data.AsSpan(1 << 20, 1 << 20));
        File.WriteAllBytes(source, data);
        var target = Path.Combine(server.Folder, "target");
        await using (var file = File.Create(target))
            file.SetLength(data.Length);
        using var export = FileExport.Open("d", target);
        server.Server.AddExport(export);
        await Tool.MustRunAsync("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, server.Uri("d"));
        Assert.Contains("identical", await Tool.MustRunAsync("qemu-img", "compare", "-f", "raw", "-F", "raw", source, server.Uri("d")), StringComparison.Ordinal);
        using var map = System.Text.Json.JsonDocument.Parse(await Tool.MustRunAsync("qemu-img", "map", "--output=json", "-f", "raw", server.Uri("d")));
        Assert.Equal(
            [(0, 1 << 20, true), (1 << 20, 1 << 20, false), (2 << 20, 2 << 20, true)],
            map.RootElement.EnumerateArray().Select(extent => (extent.GetProperty("start").GetInt32(), extent.GetProperty("length").GetInt32(), extent.GetProperty("zero").GetBoolean())));
    }

    [Fact]
    public async Task QemuNbd_OurClientReadsAndWrites()
    {
        await using var server = new TestServer();
        var path = Path.Combine(server.Folder, "disk");
        await using (var file = File.Create(path))
            file.SetLength(4 << 20);
        var socket = Path.Combine(server.Folder, "qemu");
        var qemu = Tool.RunAsync("qemu-nbd", "-f", "raw", "-x", "d", "-k", socket, "-e", "2", "--discard=unmap", path);
        await Until.TrueAsync(() => File.Exists(socket) || qemu.IsCompleted, "qemu-nbd listens");
        if (qemu.IsCompleted)
            Assert.Fail($"qemu-nbd ended: {(await qemu).Output}");

        var data = new byte[1 << 20];
        new Random(5).NextBytes(data);
        var token = TestContext.Current.CancellationToken;
        await using (var client = await NbdClient.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(socket), "d", null, token))
        {
            Assert.Equal((4 << 20, true, true), (client.Size, client.HasStructuredReplies, client.CanGetExtents));
            await client.WriteAsync(1 << 20, data, fua: true, token);
            await client.WriteZeroesAsync((1 << 20) + 4096, 8192, cancellationToken: token);
            data.AsSpan(4096, 8192).Clear();
            await client.TrimAsync(0, 4096, cancellationToken: token);
            await client.FlushAsync(token);
            var read = new byte[data.Length];
            await client.ReadAsync(1 << 20, read, token);
            Assert.Equal(data, read);
            var extents = await client.GetExtentsAsync(0, client.Size, token);
            Assert.Equal((0, client.Size), (extents[0].Offset, extents[^1].End));
            Assert.True(extents[0].IsZero && extents[0].Length == 1 << 20);
            var error = await Assert.ThrowsAsync<NbdClientException>(() => client.ReadAsync(client.Size, new byte[1], token).AsTask());
            Assert.Equal(NbdError.Invalid, error.Error);
        }

        await qemu;
        Assert.True(File.ReadAllBytes(path).AsSpan(1 << 20, data.Length).SequenceEqual(data));
    }

    private static IEnumerable<string> Commands(params string[] commands) => commands.SelectMany(command => new[] { "-c", command });
}
