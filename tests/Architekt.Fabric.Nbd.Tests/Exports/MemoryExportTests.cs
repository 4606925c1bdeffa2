using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class MemoryExportTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Written_IsToldEveryChangeBeforeTheReply()
    {
        var changes = new List<(long, long)>();
        var export = new MemoryExport("d", new byte[64 << 10], new MemoryExportOptions { Written = (offset, length) => changes.Add((offset, length)) });
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        await client.WriteAsync(10, new byte[20], cancellationToken: Token);
        Assert.Equal([(10, 20)], changes);
        await client.WriteZeroesAsync(5000, 9000, cancellationToken: Token);
        Assert.Equal([(10, 20), (5000, 9000)], changes);
        await client.ReadAsync(0, new byte[10], Token);
        await client.FlushAsync(Token);
        Assert.Equal(2, changes.Count);
    }

    [Fact]
    public async Task PunchHole_GetsWholePagesAndTheEdgesAreCleared()
    {
        var memory = new byte[64 << 10];
        memory.AsSpan().Fill(9);
        var holes = new List<(long, long)>();
        var export = new MemoryExport("d", memory, new MemoryExportOptions
        {
            PunchHole = (offset, length) =>
            {
                holes.Add((offset, length));
                memory.AsSpan((int)offset, (int)length).Clear();
            },
        });
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("d");
        await client.WriteZeroesAsync(4000, 8384, NbdZeroOptions.OnlyIfFast, Token);
        Assert.Equal([(4096, 8192)], holes);
        Assert.Equal((3999, 12384), (memory.AsSpan().IndexOf((byte)0) - 1, memory.AsSpan().LastIndexOf((byte)0) + 1));
        await client.WriteZeroesAsync(16384, 4096, NbdZeroOptions.NoHole, Token);
        await client.WriteZeroesAsync(20480, 100, cancellationToken: Token);
        await client.TrimAsync(24576 - 5, 4096 + 10, cancellationToken: Token);
        Assert.Equal([(4096, 8192), (24576, 4096)], holes);
        Assert.Equal((0, 0, 9), (memory[16384], memory[20480], memory[24575]));
    }

    [Fact]
    public async Task WithoutHoles_FastZeroIsRefusedAndTrimDoesNothing()
    {
        var memory = new byte[] { 1, 2, 3, 4 };
        await using var server = new TestServer(new MemoryExport("d", memory));
        await using var client = await server.ConnectAsync("d");
        var error = await Assert.ThrowsAsync<NbdClientException>(() => client.WriteZeroesAsync(0, 4, NbdZeroOptions.OnlyIfFast, Token).AsTask());
        Assert.Equal(NbdError.NotSupported, error.Error);
        await client.TrimAsync(0, 4, cancellationToken: Token);
        Assert.Equal([1, 2, 3, 4], memory);
    }

    [Fact]
    public async Task MappedFile_BackedByItsFile_IsSparseAndCoherent()
    {
        const long Size = 6L << 30;
        var folder = Directory.CreateTempSubdirectory("nbd-test-").FullName;
        try
        {
            var path = Path.Combine(folder, "ram");
            using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
            RandomAccess.SetLength(file, Size);
            using var mapping = MemoryMappedFile.CreateFromFile(file, null, Size, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            using var view = mapping.CreateViewAccessor();
            await CheckAsync(MemoryExport.FromAddress("ram", view.SafeMemoryMappedViewHandle.DangerousGetHandle(), Size, new MemoryExportOptions { BackingFile = file }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Address_MemoryBehindThePages_IsNotTouched()
    {
        var block = Marshal.AllocHGlobal(3 * 4096);
        try
        {
            Marshal.Copy(new byte[3 * 4096], 0, block, 3 * 4096);
            await using var server = new TestServer(MemoryExport.FromAddress("d", block + 4096, 4096));
            await using var client = await server.ConnectAsync("d");
            await client.WriteAsync(0, Enumerable.Repeat((byte)7, 4096).ToArray(), cancellationToken: Token);
            await Assert.ThrowsAsync<NbdClientException>(() => client.WriteAsync(1, Enumerable.Repeat((byte)8, 4096).ToArray(), cancellationToken: Token).AsTask());
            var all = new byte[3 * 4096];
            Marshal.Copy(block, all, 0, all.Length);
            Assert.Equal((-1, -1, -1), (all.AsSpan(0, 4096).IndexOfAnyExcept((byte)0), all.AsSpan(4096, 4096).IndexOfAnyExcept((byte)7), all.AsSpan(8192).IndexOfAnyExcept((byte)0)));
        }
        finally
        {
            Marshal.FreeHGlobal(block);
        }
    }

    private static async Task CheckAsync(MemoryExport export)
    {
        const long Far = (5L << 30) - 8192;
        var hole = NbdExtentState.Hole | NbdExtentState.Zero;
        await using var server = new TestServer(export);
        await using var client = await server.ConnectAsync("ram");
        Assert.Equal([new NbdExtent(0, export.Size, hole)], await client.GetExtentsAsync(0, export.Size, Token));

        // Across the limit of two gigabytes and across a whole one.
        var data = new byte[64 << 10];
        Random.Shared.NextBytes(data);
        foreach (var offset in new[] { int.MaxValue - 1000L, Far })
        {
            await client.WriteAsync(offset, data, cancellationToken: Token);
            var read = new byte[data.Length];
            await client.ReadAsync(offset, read, Token);
            Assert.Equal(data, read);
        }

        await client.WriteZeroesAsync(0, 4L << 30, cancellationToken: Token);
        Assert.Equal(
            [new(0, Far, hole), new(Far, data.Length, NbdExtentState.Data), new(Far + data.Length, export.Size - Far - data.Length, hole)],
            await client.GetExtentsAsync(0, export.Size, Token));
    }
}
