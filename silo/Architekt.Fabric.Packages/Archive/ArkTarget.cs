using Architekt.Fabric.Packages.Interop;

namespace Architekt.Fabric.Packages;

/// <summary>A file that appears under its name when it is complete, or not at all.</summary>
internal sealed class ArkTarget : IDisposable
{
    private const string PartialSuffix = ".partial";

    private readonly string _path;
    private readonly bool _overwrite;

    private ArkTarget(string path, bool overwrite)
    {
        (_path, _overwrite) = (path, overwrite);
        // Shared with nobody: that it is locked tells others that its writer lives. Not buffered: what is left in a buffer is written when
        // it is closed, after the disk was full or the export cancelled.
        Stream = new FileStream(PartialPath(path), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
    }

    internal FileStream Stream { get; }

    /// <exception cref="PackageException"><see cref="PackageErrorCode.Exists"/>, <see cref="PackageErrorCode.NotFound"/> or <see cref="PackageErrorCode.Invalid"/>.</exception>
    internal static ArkTarget Create(string path, bool overwrite)
    {
        var folder = Path.GetDirectoryName(path);
        if (Directory.Exists(path) || folder is null)
            throw new PackageException(PackageErrorCode.Invalid, $"The archive cannot be written to {path}: it is a folder. Name a file in it.");
        if (!Directory.Exists(folder))
            throw new PackageException(PackageErrorCode.NotFound, $"The archive cannot be written to {path}: there is no folder {folder}.");
        if (File.Exists(path))
        {
            RegularFile.Open(path, $"{path}, where the archive is to be written,", out _).Dispose();
            if (!overwrite)
                throw Taken(path);
        }

        RemoveLeftovers(path, folder);
        return new ArkTarget(path, overwrite);
    }

    /// <summary>Gives the file its name, once it is on disk.</summary>
    internal void Commit()
    {
        Stream.Flush(flushToDisk: true);
        try
        {
            File.Move(Stream.Name, _path, _overwrite);
        }
        catch (IOException error) when (!_overwrite && File.Exists(_path))
        {
            throw Taken(_path, error);
        }

        LibC.SyncFolder(Path.GetDirectoryName(_path)!);
    }

    public void Dispose()
    {
        try
        {
            // Also when it was committed: the name is gone then. Before the lock goes, so that nobody else removes it meanwhile.
            File.Delete(Stream.Name);
        }
        finally
        {
            Stream.Dispose();
        }
    }

    private static void RemoveLeftovers(string path, string folder)
    {
        var (start, length) = (PartialPrefix(path), PartialPath(path).Length);
        foreach (var partial in Directory.EnumerateFiles(folder, "*" + PartialSuffix))
        {
            if (partial.Length != length || !partial.StartsWith(start, StringComparison.Ordinal))
                continue;
            using var dead = FileLock.TryTake(partial);
            if (dead is not null)
                File.Delete(partial);
        }
    }

    private static string PartialPath(string path) => $"{PartialPrefix(path)}{Guid.NewGuid():N}{PartialSuffix}";

    private static string PartialPrefix(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.");

    private static PackageException Taken(string path, Exception? cause = null) =>
        new(PackageErrorCode.Exists, $"{path} is there already. Give another name, or say that it may be overwritten.", cause);
}
