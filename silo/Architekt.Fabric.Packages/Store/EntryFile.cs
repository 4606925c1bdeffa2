using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>The files of a package that is becoming one.</summary>
internal static class EntryFile
{
    internal static SafeFileHandle Create(string folder, string name) =>
        File.OpenHandle(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.ReadWrite);

    /// <summary>Makes an entry as long as its manifest says, all of it a hole.</summary>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NoSpace"/>.</exception>
    internal static void SetLength(SafeFileHandle file, PackageEntry entry, string source)
    {
        try
        {
            RandomAccess.SetLength(file, entry.Size);
        }
        catch (ArgumentOutOfRangeException error)
        {
            // .NET's way to say EFBIG.
            throw new PackageException(
                PackageErrorCode.NoSpace,
                $"The entry '{entry.Name}' of {source} has {entry.Size} bytes; that is more than a file of this store can have, even as a hole.",
                error);
        }
    }

    /// <summary>Makes a file unchangeable and durable.</summary>
    internal static void Seal(SafeFileHandle file, string folder, string name)
    {
        File.SetUnixFileMode(Path.Combine(folder, name), StoreLayout.SealedFile);
        RandomAccess.FlushToDisk(file);
    }
}
