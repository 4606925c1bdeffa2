using System.Text.Json;
using Architekt.Fabric.Agents;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A peer in this process, with its own QEMU.</summary>
internal sealed class TestPeer : IAsyncDisposable
{
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(20);
    private readonly string _folder;

    private TestPeer(string folder, PeerInstance instance, IDirtyTrackingProbe tracking)
    {
        _folder = folder;
        Instance = instance;
        Service = new PeerService(
            instance, new PeerFolder(folder), tracking, TimeProvider.System, NullLogger<PeerService>.Instance, new FileGate(folder, TimeProvider.System));
    }

    public PeerInstance Instance { get; }

    public PeerService Service { get; }

    public string AgentSocket => Path.Combine(_folder, PeerApi.QemuFolder, "agent.sock");

    public string ConsoleSocket => Path.Combine(_folder, PeerApi.QemuFolder, PeerApi.ConsoleSocket);

    public static async Task<TestPeer> CreateAsync(TestHost host, long epoch, string guest, IDirtyTrackingProbe? tracking = null, Func<PeerInstance, PeerInstance>? change = null)
    {
        var (folder, instance) = await host.CreateAsync(epoch, guest);
        return new TestPeer(folder, change?.Invoke(instance) ?? instance, tracking ?? DirtyTracking.Kernel);
    }

    public PeerIdentity ReadIdentity() => JsonSerializer.Deserialize(
        File.ReadAllBytes(Path.Combine(_folder, PeerApi.IdentityFile)), PeerJson.Default.PeerIdentity)!;

    /// <summary>QEMU's own process.</summary>
    public ProcessIdentity Qemu() => new(ReadIdentity().QemuPid, ReadIdentity().QemuStartTicks);

    public async Task<PeerExit> WaitForExitAsync(int seconds = 30)
    {
        var file = Path.Combine(_folder, PeerApi.ExitFile);
        await Deadline.UntilAsync(() => File.Exists(file), "exit.json is written", seconds);
        return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken), PeerJson.Default.PeerExit)!;
    }

    public string[] FilesLeft() => [.. Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order()!];

    public string ConsoleText()
    {
        using var log = new StreamReader(new FileStream(Instance.ConsoleLogPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return log.ReadToEnd();
    }

    /// <summary>Asks the guest's agent whether it is there: only a guest that runs, with its memory intact, can answer.</summary>
    public async Task PingAgentAsync()
    {
        await using var agent = await AgentClient.ConnectAsync(AgentSocket, TestContext.Current.CancellationToken);
        await agent.PingAsync(PingTimeout, TestContext.Current.CancellationToken);
    }

    /// <summary>Has this peer wait at a point of its migration, named OPERATION.POINT (<see cref="FileGate"/>).</summary>
    public ClosedGate CloseGate(string name) => new(Path.Combine(_folder, name));

    public async ValueTask DisposeAsync()
    {
        await Service.EndAsync(PeerExitKind.Killed, "the test is over");
        Service.Dispose();
    }
}
