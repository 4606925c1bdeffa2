using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>One of the hosts compose/lib.sh brought up: a network namespace and a folder.</summary>
internal sealed class BenchHost(string name, string runFolder, string namespacePrefix)
{
    public string Name => name;

    public string Namespace { get; } = namespacePrefix + name;

    /// <summary>The silo's process.</summary>
    public int SiloPid { get; } = int.Parse(File.ReadAllText(Path.Combine(runFolder, name, "silo")).Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>What the fabric runs of a VM here, or null.</summary>
    public RunningInstance? Find(string vm)
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.Combine(runFolder, name, "run"), vm + ".*"))
        {
            var identity = Read(folder, PeerApi.IdentityFile, PeerJson.Default.PeerIdentity);
            var instance = Read(folder, PeerApi.InstanceFile, PeerJson.Default.PeerInstance);
            if (identity is not null && instance is not null && new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks).IsAlive())
                return new RunningInstance(folder, instance, identity);
        }
        return null;
    }

    /// <summary>Starts a program in the host's network namespace; the process is the program's own, because `ip netns exec` becomes it.</summary>
    public Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", Namespace, program, .. arguments]);
        return Process.Start(start)!;
    }

    /// <summary>A TAP on the host's bridge.</summary>
    public async Task AddTapAsync(string tap)
    {
        await Command.RunCheckedAsync("ip", ["-n", Namespace, "tuntap", "add", tap, "mode", "tap"]);
        await Command.RunCheckedAsync("ip", ["-n", Namespace, "link", "set", tap, "master", "br0", "up"]);
    }

    private static T? Read<T>(string folder, string file, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), type) : null;
    }
}
