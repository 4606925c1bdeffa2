namespace Architekt.Fabric.Processes.Tests;

public sealed class FileGateTests
{
    [Fact]
    public async Task PassAsync_NoFile_IsOpenAndLeavesNothing()
    {
        using var folder = new TemporaryFolder();
        await new FileGate(folder.Path, TimeProvider.System).PassAsync("gate", TestContext.Current.CancellationToken);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task PassAsync_File_WaitsSaysSoAndGoesOnOnceItIsGone()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("gate"), [], TestContext.Current.CancellationToken);

        var passing = new FileGate(folder.Path, TimeProvider.System).PassAsync("gate", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => File.Exists(folder.File("gate" + FileGate.ReachedSuffix)), "the gate to be reached");
        Assert.False(passing.IsCompleted);

        File.Delete(folder.File("gate"));
        await passing.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task PassAsync_Cancelled_StopsWaiting()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("gate"), [], TestContext.Current.CancellationToken);
        using var cancelled = new CancellationTokenSource();

        var passing = new FileGate(folder.Path, TimeProvider.System).PassAsync("gate", cancelled.Token);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => passing);
    }
}
