using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Where things are on this host.</summary>
internal sealed class HostPaths(IOptions<FabricOptions> options)
{
    private const string DiskSuffix = ".qcow2";
    private const string ConsoleLogSuffix = ".console.log";
    public const string KeptMemorySuffix = ".kept";

    /// <summary>Of a disk that is still on its way.</summary>
    public const string PartSuffix = ".part";

    private string State => options.Value.StateFolder;

    public string Packages => Path.Combine(State, "packages");

    public string Disks => Path.Combine(State, "disks");

    public string Logs => Path.Combine(State, "logs");

    public string Postgres => Path.Combine(State, "postgres");

    public string Runtime => options.Value.EffectiveRuntimeFolder;

    public string Disk(string vm, long epoch) => Path.Combine(Disks, $"{vm}.{epoch}{DiskSuffix}");

    /// <summary>RAM of a VM that has moved away; beside the instance folders, so that a rename brings it there and back.</summary>
    public string KeptMemory(string vm, long epoch) => Path.Combine(Runtime, $"{vm}.{epoch}{KeptMemorySuffix}");

    /// <summary>What VMs of a package touch first, as their peers have seen it; worth keeping, but no loss.</summary>
    public string FirstPages(string digest) => Path.Combine(FirstPagesFolder, digest);

    public string FirstPagesFolder => Path.Combine(State, "first-pages");

    public string ConsoleLog(string vm, long epoch) => Path.Combine(Logs, $"{vm}.{epoch}{ConsoleLogSuffix}");

    /// <summary>Whose disks there are.</summary>
    public IEnumerable<(string Vm, long Epoch)> ListDisks() => ListInstances(Disks, DiskSuffix);

    /// <summary>Whose console logs there are.</summary>
    public IEnumerable<(string Vm, long Epoch)> ListConsoleLogs() => ListInstances(Logs, ConsoleLogSuffix);

    private static IEnumerable<(string Vm, long Epoch)> ListInstances(string folder, string suffix)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "*" + suffix))
        {
            if (Path.GetFileName(path)[..^suffix.Length].Split('.') is [var vm, var epoch] && FabricNames.IsValid(vm) && long.TryParse(epoch, out var number))
                yield return (vm, number);
        }
    }

    /// <summary>Makes the folders; QEMU's own user must be able to pass through them but not to list them.</summary>
    public void Create()
    {
        const UnixFileMode passable =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var folder in new[] { State, Disks, Logs, FirstPagesFolder, Runtime }) Directory.CreateDirectory(folder, passable);

        // What a former silo was fetching is not fetched any more.
        foreach (var part in Directory.EnumerateFiles(Disks, "*" + PartSuffix)) File.Delete(part);
    }
}
