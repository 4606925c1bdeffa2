using System.Diagnostics;

namespace Architekt.Fabric.Packages.Tests.Archive;

public sealed class ArkImportTests : IDisposable
{
    private const string ChildStore = "ARCHITEKT_TEST_STORE";
    private const string ChildArchive = "ARCHITEKT_TEST_ARCHIVE";

    private readonly TempFolder _temp = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task ImportAsync_Cancelled_LeavesNothing()
    {
        var archive = await ExportAsync();
        var store = await _temp.OpenStoreAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var halfway = new Listener(progress =>
        {
            if (progress.BytesDone > progress.BytesTotal / 2)
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.ImportAsync(archive, null, halfway, stop.Token));

        Assert.Empty(_temp.StoreContents());
    }

    [Fact]
    public async Task ImportAsync_KilledHalfway_LeavesNothingOnceTheStoreIsOpened()
    {
        // The process to kill is this program once more, and this test in it.
        if (Environment.GetEnvironmentVariable(ChildStore) is { } childStore)
        {
            await ImportUntilKilledAsync(childStore, Environment.GetEnvironmentVariable(ChildArchive)!);
            return;
        }

        var archive = await ExportAsync();
        var start = new ProcessStartInfo(
            Environment.ProcessPath!,
            ["-noColor", "-noLogo", "-method", $"{typeof(ArkImportTests).FullName}.{nameof(ImportAsync_KilledHalfway_LeavesNothingOnceTheStoreIsOpened)}"])
        {
            RedirectStandardOutput = true,
            Environment = { [ChildStore] = _temp.Store, [ChildArchive] = archive, ["TMPDIR"] = _temp.Path },
        };
        using (var child = Process.Start(start)!)
        {
            try
            {
                while (!File.Exists(archive + ".halfway"))
                {
                    Assert.False(child.HasExited, "the child ended before it was halfway");
                    await Task.Delay(20, Cancellation);
                }
            }
            finally
            {
                child.Kill();
                await child.WaitForExitAsync(CancellationToken.None);
            }
        }

        Assert.NotEmpty(_temp.Leftovers());

        var store = await _temp.OpenStoreAsync();

        Assert.Empty(_temp.StoreContents());
        var package = await store.ImportAsync(archive, null, null, Cancellation);
        await PackageStore.VerifyAsync(package, null, Cancellation);
    }

    private static async Task ImportUntilKilledAsync(string root, string archive)
    {
        var store = await PackageStore.OpenAsync(root, null, Cancellation);
        await store.ImportAsync(
            archive,
            null,
            new Listener(progress =>
            {
                if (progress.BytesDone <= progress.BytesTotal / 2)
                    return;
                File.WriteAllText(archive + ".halfway", "");
                Thread.Sleep(Timeout.Infinite);
            }),
            Cancellation);
    }

    private async Task<string> ExportAsync()
    {
        var store = await _temp.OpenStoreAsync();
        var package = await store.ImportAsync(new TestBlueprint(_temp, diskSize: 8 << 20).Folder, null, null, Cancellation);
        var archive = _temp.PathOf("redis.ark");
        await ArkWriter.WriteAsync(package, archive, null, null, Cancellation);
        await store.DeleteAsync(package.Digest, null, Cancellation);
        return archive;
    }
}
