using System.Text.Json;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdInfoTests
{
    private static TestServer Create()
    {
        var memory = new byte[1 << 20];
        memory.AsSpan(64 << 10, 64 << 10).Fill(1);
        var sparse = new TestExport("sparse", 1 << 20) { IsListed = false };
        memory.CopyTo(sparse.Data, 0);
        return new TestServer(new MemoryExport("disk", memory, new MemoryExportOptions { Description = "a disk" }), new TestExport("ro", 4096) { IsReadOnly = true }, sparse);
    }

    [Fact]
    public async Task Json_ShowsWhatTheExportOffers()
    {
        await using var server = Create();
        var json = await Tool.MustRunAsync("nbdinfo", "--json", server.Uri("disk"));
        using var document = JsonDocument.Parse(json);
        var export = document.RootElement.GetProperty("exports")[0];
        Assert.Equal("newstyle-fixed", document.RootElement.GetProperty("protocol").GetString());
        Assert.True(document.RootElement.GetProperty("structured").GetBoolean());
        Assert.Equal("disk", export.GetProperty("export-name").GetString());
        Assert.Equal("a disk", export.GetProperty("description").GetString());
        Assert.Equal(1 << 20, export.GetProperty("export-size").GetInt32());
        Assert.Equal(["base:allocation"], export.GetProperty("contexts").EnumerateArray().Select(context => context.GetString()));
        foreach (var feature in new[] { "can_cache", "can_df", "can_fast_zero", "can_flush", "can_fua", "can_multi_conn", "can_trim", "can_zero" })
            Assert.True(export.GetProperty(feature).GetBoolean(), feature);
        Assert.False(export.GetProperty("is_read_only").GetBoolean());
        Assert.Equal((1, 4096, 32 << 20), (export.GetProperty("block_size_minimum").GetInt32(), export.GetProperty("block_size_preferred").GetInt32(), export.GetProperty("block_size_maximum").GetInt32()));
    }

    [Fact]
    public async Task List_OmitsHiddenExports()
    {
        await using var server = Create();
        var output = await Tool.MustRunAsync("nbdinfo", "--list", "--json", server.Uri());
        using var document = JsonDocument.Parse(output);
        Assert.Equal(["disk", "ro"], document.RootElement.GetProperty("exports").EnumerateArray().Select(export => export.GetProperty("export-name").GetString()));
    }

    [Fact]
    public async Task Map_ShowsTheExtents()
    {
        await using var server = Create();
        using var document = JsonDocument.Parse(await Tool.MustRunAsync("nbdinfo", "--map", "--json", server.Uri("sparse")));
        Assert.Equal(
            [(0, 65536, 3), (65536, 65536, 0), (131072, 917504, 3)],
            document.RootElement.EnumerateArray().Select(extent => (extent.GetProperty("offset").GetInt32(), extent.GetProperty("length").GetInt32(), extent.GetProperty("type").GetInt32())));
    }

    [Theory]
    [InlineData("disk", "structured-reply", true)]
    [InlineData("disk", "flush", true)]
    [InlineData("disk", "fua", true)]
    [InlineData("disk", "trim", true)]
    [InlineData("disk", "zero", true)]
    [InlineData("disk", "fast-zero", true)]
    [InlineData("disk", "df", true)]
    [InlineData("disk", "cache", true)]
    [InlineData("disk", "multi-conn", true)]
    [InlineData("disk", "write", true)]
    [InlineData("ro", "write", false)]
    [InlineData("ro", "trim", false)]
    [InlineData("ro", "zero", false)]
    [InlineData("ro", "multi-conn", false)]
    public async Task Can_MatchesTheExport(string export, string feature, bool expected)
    {
        await using var server = Create();
        Assert.Equal(expected ? 0 : 2, (await Tool.RunAsync("nbdinfo", "--can", feature, server.Uri(export))).ExitCode);
    }

    [Fact]
    public async Task UnknownExport_IsReported()
    {
        await using var server = Create();
        var (exitCode, output) = await Tool.RunAsync("nbdinfo", server.Uri("nobody"));
        Assert.NotEqual(0, exitCode);
        Assert.Contains("nobody", output, StringComparison.Ordinal);
    }
}
