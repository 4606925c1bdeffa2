using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>Where things are on this host.</summary>
internal sealed class HostPaths(IOptions<FabricOptions> options)
{
    private string State => options.Value.StateFolder;

    public string Packages => Path.Combine(State, "packages");

    public string Disks => Path.Combine(State, "disks");

    public string Logs => Path.Combine(State, "logs");

    public string Postgres => Path.Combine(State, "postgres");

    public string Runtime => options.Value.EffectiveRuntimeFolder;

    public string Disk(string vm, long epoch) => Path.Combine(Disks, $"{vm}.{epoch}.qcow2");

    public string ConsoleLog(string vm, long epoch) => Path.Combine(Logs, $"{vm}.{epoch}.console.log");

    /// <summary>Makes the folders; QEMU's own user must be able to pass through them but not to list them.</summary>
    public void Create()
    {
        const UnixFileMode passable =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var folder in new[] { State, Disks, Logs, Runtime }) Directory.CreateDirectory(folder, passable);
    }
}
