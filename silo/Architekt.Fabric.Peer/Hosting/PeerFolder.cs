using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Hosting;

/// <summary>The instance folder, as the peer uses it.</summary>
internal sealed class PeerFolder(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Memory => Path.Combine(path, PeerApi.MemoryFile);

    /// <summary>The folder QEMU makes its sockets in.</summary>
    public string Qemu => Path.Combine(path, PeerApi.QemuFolder);

    public string QemuErrors => Path.Combine(path, "qemu.log");

    public string InQemu(string name) => Path.Combine(Qemu, name);

    public Task WriteIdentityAsync(PeerIdentity identity) => WriteAsync(PeerApi.IdentityFile, identity, PeerJson.Default.PeerIdentity);

    public Task WriteExitAsync(PeerExit exit) => WriteAsync(PeerApi.ExitFile, exit, PeerJson.Default.PeerExit);

    private Task WriteAsync<T>(string name, T value, JsonTypeInfo<T> type) =>
        AtomicFile.WriteAsync(Path.Combine(path, name), JsonSerializer.Serialize(value, type), OwnerOnly);
}
