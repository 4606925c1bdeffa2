using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peers;

/// <summary>The runtime folder of one VM at one epoch: <c>VM.EPOCH</c>, what a new silo finds its VMs again by.</summary>
/// <param name="path">Its path.</param>
public sealed class InstanceFolder(string path)
{
    private const string KeepDiskFile = "keep-disk";

    private const UnixFileMode Traversable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Its path.</summary>
    public string Path => path;

    /// <summary>The peer's own log.</summary>
    public string LogPath => System.IO.Path.Combine(path, "peer.log");

    /// <summary>Whether the disk was there before the instance and stays if it never starts.</summary>
    public bool KeepsDisk => File.Exists(FileIn(KeepDiskFile));

    /// <summary>Whether the peer has said how it ended.</summary>
    public bool HasEnded => File.Exists(FileIn(PeerApi.ExitFile));

    /// <summary>The folder of one VM at one epoch; it need not be there.</summary>
    public static InstanceFolder For(string runtimeFolder, string vm, long epoch) => new(System.IO.Path.Combine(runtimeFolder, $"{vm}.{epoch}"));

    /// <summary>All instance folders, whoever left them.</summary>
    /// <param name="runtimeFolder">Where they are.</param>
    /// <param name="isVm">Whether something is the name of a VM: folders of others are none of ours.</param>
    public static IEnumerable<InstanceFolder> All(string runtimeFolder, Func<string, bool> isVm) => Directory.Exists(runtimeFolder)
        ? Directory.EnumerateDirectories(runtimeFolder).Where(folder => IsInstance(folder, isVm)).Select(static folder => new InstanceFolder(folder))
        : [];

    /// <summary>Makes the folder and writes what the peer must know.</summary>
    /// <param name="instance">That.</param>
    /// <param name="keepsDisk">Whether the disk was there before and stays if the instance never starts.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task CreateAsync(PeerInstance instance, bool keepsDisk, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path, Traversable);
        if (keepsDisk) await File.WriteAllBytesAsync(FileIn(KeepDiskFile), [], cancellationToken);
        var json = JsonSerializer.Serialize(instance, PeerJson.Default.PeerInstance);
        await AtomicFile.WriteAsync(FileIn(PeerApi.InstanceFile), json, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellationToken);
    }

    /// <summary>What was written for the peer; null if that cannot be read.</summary>
    public PeerInstance? ReadInstance() => Read(PeerApi.InstanceFile, PeerJson.Default.PeerInstance);

    /// <summary>Which processes belong to it; null as long as the peer has not said.</summary>
    public PeerIdentity? ReadIdentity() => Read(PeerApi.IdentityFile, PeerJson.Default.PeerIdentity);

    /// <summary>How it ended; null if it has not.</summary>
    public PeerExit? ReadExit() => Read(PeerApi.ExitFile, PeerJson.Default.PeerExit);

    /// <summary>The end of the peer's own log, for an error message.</summary>
    public string LastWords()
    {
        try
        {
            var lines = File.ReadAllLines(LogPath);
            return string.Join(" | ", lines.TakeLast(5));
        }
        catch (IOException)
        {
            return "it left no log";
        }
    }

    /// <summary>Removes it with all that is in it.</summary>
    public void Delete()
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private static bool IsInstance(string folder, Func<string, bool> isVm)
    {
        var name = System.IO.Path.GetFileName(folder);
        var dot = name.LastIndexOf('.');
        return dot > 0 && isVm(name[..dot]) && long.TryParse(name[(dot + 1)..], out _);
    }

    private string FileIn(string name) => System.IO.Path.Combine(path, name);

    private T? Read<T>(string name, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileIn(name)), type);
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null;
        }
    }
}
