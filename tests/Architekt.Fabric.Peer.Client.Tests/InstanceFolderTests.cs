using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers.Tests.Support;

namespace Architekt.Fabric.Peers.Tests;

public sealed class InstanceFolderTests : IDisposable
{
    private readonly TestHost _host = new();

    [Fact]
    public void All_OtherFoldersAround_FindsInstancesOnly()
    {
        foreach (var name in new[] { "redis.1", "redis.12", "a-b.3", "redis", ".1", "Redis.1", "redis.x", "a.b.1", "redis." })
            Directory.CreateDirectory(_host[name]);
        File.WriteAllText(_host["file.1"], "");

        var found = InstanceFolder.All(_host.Path, IsVm).Select(static folder => Path.GetFileName(folder.Path)).Order(StringComparer.Ordinal);

        Assert.Equal(["a-b.3", "redis.1", "redis.12"], found);
    }

    [Fact]
    public void All_NoRuntimeFolder_FindsNothing() => Assert.Empty(InstanceFolder.All(_host["nowhere"], IsVm));

    [Fact]
    public async Task Create_Instance_IsReadBackAndOthersMayPassButNotRead()
    {
        var folder = InstanceFolder.For(_host.Path, "redis", 3);
        await folder.CreateAsync(_host.Instance(), keepsDisk: false, TestContext.Current.CancellationToken);

        Assert.Equal(_host.Instance(), folder.ReadInstance());
        Assert.Equal("redis.3", Path.GetFileName(folder.Path));
        var mode = File.GetUnixFileMode(folder.Path);
        Assert.True(mode.HasFlag(UnixFileMode.OtherExecute));
        Assert.False(mode.HasFlag(UnixFileMode.OtherRead));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Path, PeerApi.InstanceFile)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"vm\":\"redis\"}")]
    public void Read_UnreadableJson_IsNothing(string json)
    {
        var folder = InstanceFolder.For(_host.Path, "redis", 3);
        Directory.CreateDirectory(folder.Path);
        foreach (var name in new[] { PeerApi.InstanceFile, PeerApi.IdentityFile, PeerApi.ExitFile }) File.WriteAllText(Path.Combine(folder.Path, name), json);

        Assert.Null(folder.ReadInstance());
        if (!json.StartsWith("{\"", StringComparison.Ordinal)) Assert.Equal((null, null), (folder.ReadIdentity(), folder.ReadExit()));
    }

    [Fact]
    public void Read_NoFolder_IsNothing()
    {
        var folder = InstanceFolder.For(_host.Path, "redis", 3);

        Assert.Null(folder.ReadInstance());
        Assert.Equal("it left no log", folder.LastWords());
        folder.Delete();
    }

    [Fact]
    public void LastWords_LongLog_AreTheLastFiveLines()
    {
        var folder = InstanceFolder.For(_host.Path, "redis", 3);
        Directory.CreateDirectory(folder.Path);
        File.WriteAllLines(folder.LogPath, Enumerable.Range(1, 9).Select(static n => $"line {n}"));

        Assert.Equal("line 5 | line 6 | line 7 | line 8 | line 9", folder.LastWords());
    }

    public void Dispose() => _host.Dispose();

    private static bool IsVm(string name) => name.Length > 0 && name.All(static c => char.IsAsciiLetterLower(c) || c == '-');
}
