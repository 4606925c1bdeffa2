namespace Architekt.Fabric.Database.Tests;

public sealed class PostgresBinariesTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("architekt-bin-");

    public void Dispose() => _root.Delete(recursive: true);

    private string Install(string version)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.FullName, version, "bin")).FullName;
        File.WriteAllText(Path.Combine(folder, "postgres"), "");
        File.WriteAllText(Path.Combine(folder, "initdb"), "");
        return folder;
    }

    [Fact]
    public void Find_SeveralVersions_ReturnsTheNewestByNumber()
    {
        Install("9");
        var newest = Install("17");
        Install("15");
        Directory.CreateDirectory(Path.Combine(_root.FullName, "18", "bin"));
        Assert.Equal(newest, PostgresBinaries.Find(null, _root.FullName, _ => null));
    }

    [Fact]
    public void Find_DataOfAnOlderVersion_ReturnsThatVersion()
    {
        Install("17");
        var older = Install("15");
        Assert.Equal(older, PostgresBinaries.Find("15", _root.FullName, _ => null));
    }

    [Fact]
    public void Find_DataOfAMissingVersion_NamesThePackage()
    {
        Install("17");
        var thrown = Assert.Throws<FabricException>(() => PostgresBinaries.Find("15", _root.FullName, _ => null));
        Assert.Equal(FabricErrorCode.Unsupported, thrown.Code);
        Assert.Contains("apt-get install postgresql-15", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_NothingInstalled_NamesThePackage()
    {
        var thrown = Assert.Throws<FabricException>(() => PostgresBinaries.Find(null, _root.FullName, _ => null));
        Assert.Equal(FabricErrorCode.Unsupported, thrown.Code);
        Assert.Contains("apt-get install postgresql'", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OnlyInPath_ReturnsItsFolder() =>
        Assert.Equal("/opt/pg/bin", PostgresBinaries.Find(null, _root.FullName, name => $"/opt/pg/bin/{name}"));
}
