namespace Architekt.Fabric.Qemu.Tests;

/// <summary>A folder in shared memory with a path short enough for unix sockets, gone after the test.</summary>
internal sealed class TestFolder : IDisposable
{
    public TestFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = $"/dev/shm/fabric-qemu-{Guid.NewGuid():N}";

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
