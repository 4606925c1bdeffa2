namespace Architekt.Fabric.Memory.Tests;

/// <summary>A folder on tmpfs that goes away with the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "no /dev/shm: guest RAM needs a tmpfs");
        Path = $"/dev/shm/architekt-memory-{Guid.NewGuid():N}";
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Lets an unprivileged QEMU in, and lets it write its report.</summary>
    public void OpenToEverybody() => File.SetUnixFileMode(Path, (UnixFileMode)0b111_111_111);

    /// <summary>A copy of the arming library that an unprivileged user can read wherever the tests were built.</summary>
    public string CopyArmingLibrary()
    {
        var copy = this["libarchitekt-arm.so"];
        File.Copy(ArmingLibrary.Path, copy);
        File.SetUnixFileMode(copy, (UnixFileMode)0b110_100_100);
        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
