namespace Architekt.Fabric.Peer.Migration;

/// <summary>The file behind a guest's disk.</summary>
internal static class DiskFile
{
    /// <summary>
    /// Has the kernel write out what it still keeps of the file. QEMU does the same when it stops a guest, and that is a bad time to have
    /// much to write.
    /// </summary>
    public static Task WriteOutAsync(string? path) => path is null
        ? Task.CompletedTask
        : Task.Run(() =>
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        });
}
