using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The disk that a guest has left, as one image.</summary>
internal sealed class FinalDisk : IDisposable
{
    private readonly string _folder;

    private FinalDisk(string folder) => _folder = folder;

    private string Image => Path.Combine(_folder, "disk");

    /// <summary>Converts the disk of a peer that has ended.</summary>
    public static async Task<FinalDisk> OpenAsync(TestPeer peer)
    {
        var disk = new FinalDisk(peer.Instance.OverlayDiskPath + ".final");
        Directory.CreateDirectory(disk._folder);
        await Command.RunCheckedAsync("qemu-img", ["convert", "-O", "raw", peer.Instance.OverlayDiskPath!, disk.Image], cancellationToken: TestContext.Current.CancellationToken);
        return disk;
    }

    /// <summary>Fails unless the file system has nothing to repair: e2fsck(8) exits with 0.</summary>
    public Task CheckAsync() => Command.RunCheckedAsync("e2fsck", ["-f", "-n", Image], cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>Copies a folder out of the file system and returns where it is.</summary>
    public async Task<string> ReadFolderAsync(string folder)
    {
        await Command.RunCheckedAsync("debugfs", ["-R", $"rdump {folder} {_folder}", Image], cancellationToken: TestContext.Current.CancellationToken);
        return Path.Combine(_folder, Path.GetFileName(folder));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
