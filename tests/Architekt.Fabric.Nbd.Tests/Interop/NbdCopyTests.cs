namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdCopyTests
{
    private const int Size = 24 << 20;

    [Theory]
    [InlineData("memory", 1)]
    [InlineData("memory", 4)]
    [InlineData("file", 1)]
    [InlineData("file", 4)]
    public async Task BothDirections_KeepTheData(string kind, int connections)
    {
        await using var server = new TestServer();
        var source = Path.Combine(server.Folder, "source");
        var data = new byte[Size];
        new Random(1).NextBytes(data.AsSpan(5 << 20, 9 << 20));
        File.WriteAllBytes(source, data);
        var disk = Path.Combine(server.Folder, "disk");
        await using (var file = File.Create(disk))
            file.SetLength(Size);
        using var files = FileExport.Open("d", disk);
        server.Server.AddExport(kind == "memory" ? new MemoryExport("d", new byte[Size]) : files);

        var back = Path.Combine(server.Folder, "back");
        await Tool.MustRunAsync("nbdcopy", "--flush", $"--connections={connections}", source, server.Uri("d"));
        await Tool.MustRunAsync("nbdcopy", $"--connections={connections}", server.Uri("d"), back);
        Assert.True(File.ReadAllBytes(back).AsSpan().SequenceEqual(data));
    }

    [Fact]
    public async Task SparseRandom_RoundTripIsVerifiedAndAFlippedByteFound()
    {
        // The plugin generates the image from the seed, and checks what is written back against it.
        await using var server = new TestServer();
        var memory = new byte[64 << 20];
        server.Server.AddExport(new MemoryExport("d", memory));
        var uri = server.Uri("d");
        await Tool.MustRunAsync("nbdkit", "-U", "-", "sparse-random", "64M", "seed=7", "runlength=131072", "--run", $"nbdcopy \"$uri\" '{uri}'");
        Assert.NotEqual(-1, memory.AsSpan().IndexOfAnyExcept((byte)0));
        await Tool.MustRunAsync("nbdkit", "-U", "-", "sparse-random", "64M", "seed=7", "runlength=131072", "--run", $"nbdcopy '{uri}' \"$uri\"");
        memory[memory.AsSpan().IndexOfAnyExcept((byte)0)] ^= 1;
        var (exitCode, _) = await Tool.RunAsync("nbdkit", "-U", "-", "sparse-random", "64M", "seed=7", "runlength=131072", "--run", $"nbdcopy '{uri}' \"$uri\"");
        Assert.NotEqual(0, exitCode);
    }

    [Fact]
    public async Task Nbdkit_OurClientCopiesWithSeveralConnections()
    {
        await using var server = new TestServer();
        var socket = Path.Combine(server.Folder, "kit");
        var pid = Path.Combine(server.Folder, "pid");
        await Tool.MustRunAsync("nbdkit", "-U", socket, "-P", pid, "memory", "16M");
        try
        {
            var token = TestContext.Current.CancellationToken;
            await using var client = await NbdMultiConnection.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(socket), "", 4, null, token);
            Assert.Equal((16 << 20, 4), (client.Size, client.ConnectionCount));
            var data = new byte[12 << 20];
            new Random(9).NextBytes(data);
            await Task.WhenAll(Enumerable.Range(0, 192).Select(i => client.WriteAsync(i << 16, data.AsMemory(i << 16, 1 << 16), cancellationToken: token).AsTask()));
            await client.FlushAsync(token);
            var read = new byte[data.Length];
            await Task.WhenAll(Enumerable.Range(0, 192).Select(i => client.ReadAsync(i << 16, read.AsMemory(i << 16, 1 << 16), token).AsTask()));
            Assert.True(read.AsSpan().SequenceEqual(data));
            var extents = await client.GetExtentsAsync(0, client.Size, token);
            Assert.True(extents[^1].IsHole && extents[^1].End == client.Size);
            var error = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteAsync(client.Size, new byte[1], cancellationToken: token).AsTask());
            Assert.Equal(NbdError.NoSpace, error.Error);
        }
        finally
        {
            System.Diagnostics.Process.GetProcessById(int.Parse(File.ReadAllText(pid))).Kill();
        }
    }
}
