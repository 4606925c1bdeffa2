using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Machine;

/// <summary>Makes a guest's RAM file, empty or from what this host has of it.</summary>
internal static class GuestRam
{
    /// <summary>A base that cannot be used is none: then everything has to come from the source.</summary>
    /// <returns>The RAM and the name of the base it holds; null if it is all hole.</returns>
    public static (GuestMemory Memory, string? BaseName) Create(PeerInstance instance, PeerFolder folder, PeerBase? wanted, ILogger logger)
    {
        if (wanted is not null)
        {
            try
            {
                return (wanted.Adopt ? Adopt(instance, folder, wanted) : Copy(instance, folder, wanted.MemoryPath), wanted.Name);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                PeerLog.BaseUnusable(logger, wanted.Name, error.Message);
                File.Delete(folder.Memory);
            }
        }

        return (Empty(instance, folder), null);
    }

    /// <summary>All of the package's RAM at once, on a kernel that cannot bring it while the guest runs.</summary>
    public static GuestMemory Copy(PeerInstance instance, PeerFolder folder, string path)
    {
        using var package = PackageMemory.Open(path);
        var memory = Empty(instance, folder);
        try
        {
            memory.FillFrom(package, CancellationToken.None);
            return memory;
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    public static GuestMemory Empty(PeerInstance instance, PeerFolder folder) =>
        GuestMemory.Create(folder.Memory, instance.MemoryBytes, instance.QemuUserId, instance.QemuUserId);

    private static GuestMemory Adopt(PeerInstance instance, PeerFolder folder, PeerBase wanted)
    {
        File.Move(wanted.MemoryPath, folder.Memory);
        FileOwner.Give(folder.Memory, instance.QemuUserId);
        var memory = GuestMemory.Open(folder.Memory);
        if (memory.Length == instance.MemoryBytes) return memory;
        memory.Dispose();
        throw new IOException($"{wanted.MemoryPath} has {memory.Length} bytes and the guest has {instance.MemoryBytes}");
    }
}
