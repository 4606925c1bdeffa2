using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Blueprints.Tests.Support;

namespace Architekt.Fabric.Blueprints.Tests.Layers;

public sealed class FileTreeTests : LayerFixture
{
    [Fact]
    public async Task Whiteout_HidesWhatLowerLayersHave()
    {
        await ApplyAsync(new TarBuilder().Folder("a").File("a/gone").File("a/stays").Folder("b").File("b/gone"));
        await ApplyAsync(new TarBuilder().File("a/.wh.gone").File(".wh.b").File(".wh.never"));
        Assert.Equal(["/a", "/a/stays"], Paths());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whiteout_LeavesWhatItsOwnLayerHas_WhateverTheOrder(bool isFirst)
    {
        await ApplyAsync(new TarBuilder().Folder("a").File("a/old", "old"));
        var layer = new TarBuilder();
        if (isFirst)
            layer.File(".wh.a");
        layer.Folder("a").File("a/new", "new");
        if (!isFirst)
            layer.File(".wh.a");
        await ApplyAsync(layer);
        Assert.Equal(["/a", "/a/new"], Paths());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OpaqueWhiteout_HidesAllBeneath_ButTheFolderAndItsOwnLayer(bool isFirst)
    {
        await ApplyAsync(new TarBuilder().Folder("a", 0x1C0).Folder("a/deep").File("a/deep/old").File("a/old").File("other"));
        var layer = new TarBuilder();
        if (isFirst)
            layer.File("a/.wh..wh..opq");
        layer.File("a/new");
        if (!isFirst)
            layer.File("a/.wh..wh..opq");
        await ApplyAsync(layer);
        Assert.Equal(["/a", "/a/new", "/other"], Paths());
        Assert.Equal(0x1C0, Tree.Find("/a")!.Inode.Mode);
    }

    [Fact]
    public async Task OtherReservedNames_AreNoFiles()
    {
        await ApplyAsync(new TarBuilder().Folder(".wh..wh.plnk").File(".wh..wh.plnk/1.2").File(".wh..wh.aufs").File("a"));
        Assert.Equal(["/a"], Paths());
    }

    [Fact]
    public async Task HardLink_ToALowerLayer_SharesTheFile_AndSurvivesItsOtherName()
    {
        await ApplyAsync(new TarBuilder().Folder("a").File("a/one", "content", 0x1ED, 5, 6));
        await ApplyAsync(new TarBuilder().HardLink("two", "a/one"));
        Assert.Same(Tree.Find("/a/one")!.Inode, Tree.Find("/two")!.Inode);
        await ApplyAsync(new TarBuilder().File("a/one", "changed"));
        await ApplyAsync(new TarBuilder().File("a/.wh.one"));
        Assert.Equal("content", Content("/two"));
        Assert.Equal(5u, Tree.Find("/two")!.Inode.UserId);
    }

    [Fact]
    public async Task HardLink_ToWhatIsNotThere_IsRefused() =>
        Assert.Contains("'/no/where'", await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().HardLink("a", "no/where"))), StringComparison.Ordinal);

    [Fact]
    public async Task HardLink_ToAFolder_IsRefused() =>
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().Folder("a").HardLink("b", "a")));

    [Theory]
    [InlineData("../etc/passwd")]
    [InlineData("a/../../etc/passwd")]
    [InlineData("/..")]
    public async Task PathsWithDots_AreRefused(string path)
    {
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().File(path)));
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().HardLink("a", path)));
    }

    [Theory]
    [InlineData("/outside")]
    [InlineData("../../../../../outside")]
    public async Task SymbolicLinkOutOfTheTree_LeadsBackIntoIt(string target)
    {
        await ApplyAsync(new TarBuilder().Link("evil", target));
        await ApplyAsync(new TarBuilder().File("evil/passwd", "inside"));
        Assert.Equal(["/evil", "/outside", "/outside/passwd"], Paths());
        Assert.Equal(FileKind.SymbolicLink, Tree.Root.Children["evil"].Inode.Kind);
    }

    [Fact]
    public async Task LayerThroughALinkedFolder_LandsInTheFolder()
    {
        await ApplyAsync(new TarBuilder().Folder("usr").Folder("usr/lib").File("usr/lib/old").Link("lib", "usr/lib"));
        await ApplyAsync(new TarBuilder().File("lib/new").File("lib/.wh.old"));
        Assert.Equal(["/lib", "/usr", "/usr/lib", "/usr/lib/new"], Paths());
    }

    [Fact]
    public async Task LoopOfLinks_IsRefused() =>
        await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().Link("a", "b").Link("b", "a").File("a/file")));

    [Fact]
    public async Task PathThroughAFile_IsRefused() =>
        Assert.Contains("goes through '/a'", await RefusalAsync(BlueprintErrorCode.Invalid, () => ApplyAsync(new TarBuilder().File("a").File("a/b"))), StringComparison.Ordinal);

    [Fact]
    public async Task DuplicateEntries_TheLastCounts()
    {
        await ApplyAsync(new TarBuilder().File("a", "first").File("./a", "second", 0x1ED));
        Assert.Equal("second", Content("/a"));
        Assert.Equal(0x1ED, Tree.Find("/a")!.Inode.Mode);
    }

    [Fact]
    public async Task Folder_OverAFolder_KeepsWhatIsInIt_AndAFileDoesNot()
    {
        await ApplyAsync(new TarBuilder().Folder("a").File("a/x").Folder("b").File("b/x").File("c"));
        await ApplyAsync(new TarBuilder().Folder("a", 0x1F8, 7, 8).File("b").Folder("c").File("c/x"));
        Assert.Equal(["/a", "/a/x", "/b", "/c", "/c/x"], Paths());
        Assert.Equal((0x1F8, 7u), (Tree.Find("/a")!.Inode.Mode, Tree.Find("/a")!.Inode.UserId));
    }

    [Fact]
    public async Task RootEntry_GivesTheRootItsMode()
    {
        await ApplyAsync(new TarBuilder().Folder("./", 0x1C0, 3, 4));
        Assert.Equal((0x1C0, 3u), (Tree.Root.Inode.Mode, Tree.Root.Inode.UserId));
    }
}
