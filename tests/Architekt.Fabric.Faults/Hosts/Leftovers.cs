using Architekt.Fabric.Faults.History;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>What is on a host that should not be.</summary>
internal static class Leftovers
{
    // docs/operations.md: silos, clients, health, packages. Anything else that listens is an export that was forgotten.
    private static readonly HashSet<string> _siloPorts = ["11111", "30000", "8081", "30001"];

    /// <summary>All of it, in words. The RAM a host keeps of a guest that left is meant to be there.</summary>
    /// <param name="host">The host.</param>
    /// <param name="vm">The one VM there is.</param>
    /// <param name="row">The truth about it.</param>
    /// <param name="cancellationToken">Ends the looking.</param>
    public static async Task<IReadOnlyList<string>> FindAsync(FaultHost host, string vm, VmRow row, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        var isOwner = row.Host == host.Name;
        var runs = isOwner && !row.HasEnded;
        var own = $"{vm}.{row.Epoch}";
        found.AddRange(host.Instances().Where(name => !(runs && name == own)).Select(static name => $"folder {name}"));
        if (runs && !host.Instances().Contains(own)) found.Add($"no folder {own}, though it should run here");
        found.AddRange(Unexpected(host.DiskFolder, isOwner ? own + ".qcow2" : null));
        found.AddRange(Unexpected(host.ConsoleFolder, isOwner ? own + ".console.log" : null));

        var taps = await LinesAsync("ip", ["-n", host.Namespace, "-o", "link", "show", "type", "tun"], cancellationToken);
        if (taps.Count != (runs ? 1 : 0)) found.Add($"{taps.Count} TAPs: {string.Join(", ", taps.Select(static line => line.Split(':')[1].Trim()))}");
        var listening = await LinesAsync("ip", ["netns", "exec", host.Namespace, "ss", "-Hltn"], cancellationToken);
        found.AddRange(listening.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3])
            .Where(static local => !_siloPorts.Contains(local[(local.LastIndexOf(':') + 1)..])).Select(static local => $"something listens at {local}"));
        var processes = runs ? host.FindProcesses(vm, row.Epoch) : null;
        HashSet<string> expected = [$"{host.Silo.Pid}", $"{processes?.PeerPid}", $"{processes?.QemuPid}"];
        var pids = await LinesAsync("ip", ["netns", "pids", host.Namespace], cancellationToken);
        found.AddRange(pids.Where(pid => !expected.Contains(pid)).Select(Describe));
        if (processes is not null && !new ProcessIdentity(processes.QemuPid, processes.QemuStartTicks).IsAlive()) found.Add($"no QEMU of {own}, though it should run here");
        return [.. found.Select(what => $"{host.Name}: {what}")];
    }

    private static IEnumerable<string> Unexpected(string folder, string? expected) =>
        Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)).Where(name => name != expected).Select(static name => $"file {name}");

    private static string Describe(string pid)
    {
        try
        {
            return $"process {pid}: {File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')}";
        }
        catch (IOException)
        {
            return $"process {pid}, which has just ended";
        }
    }

    private static async Task<IReadOnlyList<string>> LinesAsync(string command, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await Command.RunCheckedAsync(command, arguments, cancellationToken: cancellationToken);
        return result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
