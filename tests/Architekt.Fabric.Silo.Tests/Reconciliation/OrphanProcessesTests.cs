using System.Diagnostics;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Reconciliation;
using Architekt.Fabric.Silo.Runtime;
using Architekt.Fabric.Silo.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Tests.Reconciliation;

/// <summary>Processes that look like QEMUs of a host whose peers nobody knows; each only waits.</summary>
public sealed class OrphanProcessesTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly List<Process> _started = [];
    private readonly PeerSupervisor _peers;
    private readonly OrphanProcesses _orphans;

    public OrphanProcessesTests()
    {
        var options = Options.Create(new FabricOptions { HostName = "host-a", RuntimeFolder = _host.Path });
        _peers = new PeerSupervisor(options, new RecordingVmStore(1), TimeProvider.System, NullLogger<PeerSupervisor>.Instance);
        _orphans = new OrphanProcesses(new HostPaths(options), _peers, NullLogger<OrphanProcesses>.Instance);
    }

    [Fact]
    public async Task Remove_SeenTwice_IsKilledAndOthersAreNot()
    {
        var orphan = Start($"{_host.Path}/redis.3/ram");
        var neighbour = Start($"{_host.Path}-b/redis.3/ram");

        _orphans.Remove();
        Assert.False(orphan.HasExited);
        _orphans.Remove();

        await orphan.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.False(neighbour.HasExited);
    }

    public void Dispose()
    {
        foreach (var process in _started)
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
        }

        _peers.Dispose();
        _host.Dispose();
    }

    private Process Start(string memory)
    {
        var process = Process.Start(
            new ProcessStartInfo("sh", ["-c", "read forever", $"memory-backend-file,id=ram0,size=1,mem-path={memory},share=on"]) { RedirectStandardInput = true })!;
        _started.Add(process);
        return process;
    }
}
