namespace Architekt.Fabric.Peer;

/// <summary>Paths and versions of the peer's HTTP API on its unix socket (docs/peer.md).</summary>
public static class PeerApi
{
    /// <summary>
    /// Version of this API; the first path segment. Silo and peer speak this and the one before, so that either may be upgraded first, and a silo may be taken back.
    /// </summary>
    public const int Version = 2;

    /// <summary>The version before.</summary>
    public const int OldestVersion = 1;

    /// <summary>The version that brought leases.</summary>
    public const int LeaseVersion = 2;

    /// <summary>Whether this program can speak to one of that version.</summary>
    public static bool IsKnown(int version) => version is >= OldestVersion and <= Version;

    /// <summary>Name of the peer's socket in its instance folder.</summary>
    public const string SocketName = "peer.sock";

    /// <summary>What the silo wrote for the peer: <see cref="PeerInstance"/>.</summary>
    public const string InstanceFile = "instance.json";

    /// <summary>What the peer says of itself, for a silo that finds it again: <see cref="PeerIdentity"/>.</summary>
    public const string IdentityFile = "peer.json";

    /// <summary>How the VM ended: <see cref="PeerExit"/>. Its presence means the peer is done.</summary>
    public const string ExitFile = "exit.json";

    /// <summary>The guest's RAM.</summary>
    public const string MemoryFile = "ram";

    /// <summary>The folder, owned by QEMU's user, that QEMU makes its sockets in.</summary>
    public const string QemuFolder = "qemu";

    /// <summary>The serial console's socket, within <see cref="QemuFolder"/>.</summary>
    public const string ConsoleSocket = "console.sock";

    /// <summary>The guest's RAM in the folder of a checkpoint: raw, pages of zeros are holes.</summary>
    public const string CheckpointMemory = "memory";

    /// <summary>The state of its devices in the folder of a checkpoint: a migration stream of QEMU without RAM.</summary>
    public const string CheckpointState = "state";

    /// <summary>Its disk in the folder of a checkpoint: raw, sparse, without a base.</summary>
    public const string CheckpointDisk = "disk";
}
