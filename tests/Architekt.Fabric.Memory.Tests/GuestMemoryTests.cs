namespace Architekt.Fabric.Memory.Tests;

public sealed class GuestMemoryTests : IDisposable
{
    private const int Page = GuestMemory.PageSize;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Create_NewPath_MakesPrivateSparseFile()
    {
        using var memory = GuestMemory.Create(_folder["ram"], 64L << 20);
        Assert.Equal(64L << 20, memory.Length);
        Assert.Equal(64L << 20, new FileInfo(_folder["ram"]).Length);
        Assert.Equal(0, memory.ResidentBytes);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["ram"]));
    }

    [Fact]
    public void Create_PathTaken_ThrowsAndKeepsTheFile()
    {
        File.WriteAllText(_folder["ram"], "another guest");
        Assert.Throws<IOException>(() => GuestMemory.Create(_folder["ram"], Page));
        Assert.Equal("another guest", File.ReadAllText(_folder["ram"]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-4096)]
    [InlineData(4097)]
    public void Create_SizeNoMultipleOfPages_Throws(long bytes)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => GuestMemory.Create(_folder["ram"], bytes));
        Assert.False(File.Exists(_folder["ram"]));
    }

    [Fact]
    public void Create_NotOnTmpfs_ThrowsAndLeavesNothing()
    {
        var path = Path.Combine(AppContext.BaseDirectory, $"ram-{Guid.NewGuid():N}");
        Assert.SkipWhen(new DriveInfo(AppContext.BaseDirectory).DriveFormat == "tmpfs", "the tests themselves run from a tmpfs");
        var thrown = Assert.Throws<IOException>(() => GuestMemory.Create(path, Page));
        Assert.Contains("tmpfs", thrown.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Create_WithOwner_HandsTheFileOver()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "changing the owner needs root");
        using var memory = GuestMemory.Create(_folder["ram"], Page, 64910, 64911);
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%u %g %a", memory.Path]) { RedirectStandardOutput = true })!;
        Assert.Equal("64910 64911 600", stat.StandardOutput.ReadToEnd().Trim());
        stat.WaitForExit();
    }

    [Fact]
    public void Open_Existing_SharesTheContent()
    {
        using var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        using var same = GuestMemory.Open(_folder["ram"]);
        memory.GetSpan(3 * Page, 5).Fill(7);
        Assert.Equal([7, 7, 7, 7, 7], same.GetMemory(3 * Page, 5).ToArray());
    }

    [Fact]
    public void Open_NoWholePages_Throws()
    {
        File.WriteAllText(_folder["ram"], "short");
        Assert.Throws<IOException>(() => GuestMemory.Open(_folder["ram"]));
    }

    [Fact]
    public void Open_SymbolicLink_Throws()
    {
        GuestMemory.Create(_folder["ram"], Page).Dispose();
        File.CreateSymbolicLink(_folder["link"], _folder["ram"]);
        Assert.Throws<IOException>(() => GuestMemory.Open(_folder["link"]));
    }

    [Fact]
    public void GetMemory_BeyondTwoGiB_ReachesEveryByte()
    {
        using var memory = GuestMemory.Create(_folder["ram"], (5L << 30) + Page);
        long[] offsets = [0, (1L << 30) - 2, (2L << 30) - 2, (3L << 30) + 5, (5L << 30) + Page - 4];
        foreach (var (i, offset) in offsets.Index())
            memory.GetMemory(offset, 4).Span.Fill((byte)(i + 1));
        foreach (var (i, offset) in offsets.Index())
        {
            var stored = new byte[4];
            using var file = File.OpenHandle(memory.Path);
            Assert.Equal(4, RandomAccess.Read(file, stored, offset));
            Assert.All(stored, value => Assert.Equal(i + 1, value));
            Assert.Equal(stored, memory.GetSpan(offset, 4).ToArray());
        }
        Assert.Equal(GuestMemory.MaximumWindow, memory.GetSpan((1L << 30) + 1, GuestMemory.MaximumWindow).Length);
        Assert.Equal(0, memory.GetMemory(memory.Length, 0).Length);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(8 * Page, 1)]
    [InlineData((8 * Page) - 1, 2)]
    [InlineData(long.MaxValue, 1)]
    public void GetSpan_OutsideTheRam_Throws(long offset, int length)
    {
        using var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.GetSpan(offset, length).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.GetMemory(offset, length).Length);
    }

    [Fact]
    public void GetMemory_EachCall_AllocatesNothing()
    {
        using var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        _ = memory.GetMemory(Page, Page).Span.Length;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            _ = memory.GetMemory(Page, Page).Span.Length;
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public unsafe void Dispose_WhileMemoryIsPinned_KeepsItMapped()
    {
        var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        using var pin = memory.GetMemory(2 * Page, Page).Pin();
        memory.Dispose();
        *(byte*)pin.Pointer = 9;
        using var file = File.OpenHandle(_folder["ram"]);
        var stored = new byte[1];
        RandomAccess.Read(file, stored, 2 * Page);
        Assert.Equal(9, stored[0]);
    }

    [Fact]
    public void GetSpan_AfterDispose_Throws()
    {
        var memory = GuestMemory.Create(_folder["ram"], Page);
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.GetSpan(0, 1).Length);
    }

    [Fact]
    public void PunchHole_OverData_ReadsAsZeroAndFreesThePages()
    {
        using var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        memory.GetSpan(0, 8 * Page).Fill(1);
        Assert.Equal(8 * Page, memory.ResidentBytes);
        memory.PunchHole(2 * Page, 3 * Page);
        Assert.Equal(5 * Page, memory.ResidentBytes);
        Assert.Equal([new PageRange(0, 2 * Page), new PageRange(5 * Page, 3 * Page)], memory.DataRanges());
        Assert.True(GuestMemory.IsZero(memory.GetSpan(2 * Page, 3 * Page)));
    }

    [Theory]
    [InlineData(1, Page)]
    [InlineData(0, Page - 1)]
    [InlineData(0, 0)]
    [InlineData(7 * Page, 2 * Page)]
    public void PunchHole_NotWholePagesOfTheRam_Throws(long offset, long length)
    {
        using var memory = GuestMemory.Create(_folder["ram"], 8 * Page);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.PunchHole(offset, length));
    }
}
