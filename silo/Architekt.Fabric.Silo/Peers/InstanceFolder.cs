using System.Text.Json;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Silo.Peers;

/// <summary>The runtime folder of one VM at one epoch: <c>VM.EPOCH</c>, what a new silo finds its VMs again by.</summary>
internal sealed class InstanceFolder(string path)
{
    private const string KeepDiskFile = "keep-disk";

    private const UnixFileMode Traversable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public string Path => path;

    public string LogPath => System.IO.Path.Combine(path, "peer.log");

    /// <summary>Whether the disk was there before the instance and stays if it never starts.</summary>
    public bool KeepsDisk => File.Exists(FileIn(KeepDiskFile));

    public bool HasEnded => File.Exists(FileIn(PeerApi.ExitFile));

    public static InstanceFolder For(string runtimeFolder, string vm, long epoch) => new(System.IO.Path.Combine(runtimeFolder, $"{vm}.{epoch}"));

    /// <summary>All instance folders, whoever left them.</summary>
    public static IEnumerable<InstanceFolder> All(string runtimeFolder) => Directory.Exists(runtimeFolder)
        ? Directory.EnumerateDirectories(runtimeFolder).Where(static folder => IsInstance(folder)).Select(static folder => new InstanceFolder(folder))
        : [];

    public async Task CreateAsync(PeerInstance instance, bool keepsDisk, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path, Traversable);
        if (keepsDisk) await File.WriteAllBytesAsync(FileIn(KeepDiskFile), [], cancellationToken);
        var json = JsonSerializer.Serialize(instance, PeerJson.Default.PeerInstance);
        await AtomicFile.WriteAsync(FileIn(PeerApi.InstanceFile), json, UnixFileMode.UserRead | UnixFileMode.UserWrite, cancellationToken);
    }

    public PeerInstance? ReadInstance() => Read(PeerApi.InstanceFile, PeerJson.Default.PeerInstance);

    public PeerIdentity? ReadIdentity() => Read(PeerApi.IdentityFile, PeerJson.Default.PeerIdentity);

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

    public void Delete()
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }

    private static bool IsInstance(string folder)
    {
        var name = System.IO.Path.GetFileName(folder);
        var dot = name.LastIndexOf('.');
        return dot > 0 && FabricNames.IsValid(name[..dot]) && long.TryParse(name[(dot + 1)..], out _);
    }

    private string FileIn(string name) => System.IO.Path.Combine(path, name);

    private T? Read<T>(string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
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
