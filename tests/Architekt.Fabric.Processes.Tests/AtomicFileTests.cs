namespace Architekt.Fabric.Processes.Tests;

public sealed class AtomicFileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_ExistingFile_IsReplacedAndNothingElseRemains()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("epoch"), "much longer than what follows", Token);

        await AtomicFile.WriteAsync(folder.File("epoch"), "7\n", cancellationToken: Token);

        Assert.Equal("7\n", await File.ReadAllTextAsync(folder.File("epoch"), Token));
        Assert.Equal([folder.File("epoch")], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task WriteAsync_Mode_IsThatOfTheFile()
    {
        using var folder = new TemporaryFolder();

        await AtomicFile.WriteAsync(folder.File("secret"), "x", UnixFileMode.UserRead | UnixFileMode.UserWrite, Token);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("secret")));
    }

    [Fact]
    public async Task WriteAsync_Cancelled_KeepsTheOldContentAndLeavesNoTemporaryFile()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("epoch"), "6\n", Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => AtomicFile.WriteAsync(folder.File("epoch"), "7\n", cancellationToken: new CancellationToken(true)));

        Assert.Equal("6\n", await File.ReadAllTextAsync(folder.File("epoch"), Token));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task WriteAsync_TargetIsAFolder_ThrowsAndLeavesNoTemporaryFile()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("taken"));

        await Assert.ThrowsAnyAsync<Exception>(() => AtomicFile.WriteAsync(folder.File("taken"), "x", cancellationToken: Token));

        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task WriteAsync_WhileOthersRead_TheySeeOneWholeContent()
    {
        using var folder = new TemporaryFolder();
        var contents = Enumerable.Range(0, 10).Select(i => new string((char)('a' + i), 100_000 + i)).ToArray();
        await AtomicFile.WriteAsync(folder.File("state"), contents[0], cancellationToken: Token);
        using var done = new CancellationTokenSource();
        var reads = 0;
        var reader = Task.Run(() =>
        {
            while (!done.IsCancellationRequested || reads == 0)
            {
                Assert.Contains(File.ReadAllText(folder.File("state")), contents);
                reads++;
            }
        }, Token);

        for (var i = 0; i < 50; i++)
            await AtomicFile.WriteAsync(folder.File("state"), contents[i % contents.Length], cancellationToken: Token);
        await done.CancelAsync();

        await reader;
        Assert.NotEqual(0, reads);
    }
}
