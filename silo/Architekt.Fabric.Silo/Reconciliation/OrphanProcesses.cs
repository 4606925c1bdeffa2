using System.Globalization;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>
/// Peers and QEMUs that this host's silos have started and that no instance folder tells of: a peer that ended before it had written down its QEMU leaves one. They are known
/// by a path in this host's runtime folder on their command line, so nobody else's are touched.
/// </summary>
internal sealed partial class OrphanProcesses(HostPaths paths, PeerSupervisor peers, ILogger<OrphanProcesses> logger)
{
    private HashSet<ProcessIdentity> _suspects = [];

    /// <summary>Kills what was an orphan the last time, too: what is being started is none, and is soon known.</summary>
    public void Remove()
    {
        var found = Find();
        foreach (var orphan in found.Where(_suspects.Contains))
        {
            LogKilled(orphan.Pid);
            orphan.Kill(ProcessSignal.Kill);
        }

        _suspects = found;
    }

    private HashSet<ProcessIdentity> Find()
    {
        var found = new HashSet<ProcessIdentity>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || pid == Environment.ProcessId) continue;
            if (InstanceOf(pid) is not var (vm, epoch) || peers.Find(vm, epoch) is not null || peers.IsStarting(vm, epoch)) continue;
            if (ProcessIdentity.TryOf(pid) is { } identity) found.Add(identity);
        }

        return found;
    }

    /// <summary>The instance a process is of, if it is one of this host's.</summary>
    private (string Vm, long Epoch)? InstanceOf(int pid)
    {
        try
        {
            return OrphanCommandLine.InstanceOf(File.ReadAllText($"/proc/{pid}/cmdline").Split('\0'), paths.Runtime);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has just ended.
            return null;
        }
    }

    [LoggerMessage(2311, LogLevel.Warning, "Process {Pid} is of an instance of this host that nobody knows, and is ended")]
    private partial void LogKilled(int pid);
}
