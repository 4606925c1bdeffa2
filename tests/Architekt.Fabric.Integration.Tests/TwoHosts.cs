using System.Text.Json;
using Architekt.Fabric.Client;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Testing;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>Two real silos, each with a wire of its own to a real Postgres, and a real Redis guest that is up.</summary>
public sealed partial class TwoHosts(PostgresServer server) : IAsyncLifetime
{
    public const string Vm = "redis";
    private const string ClusterId = "integration";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"architekt-it-{Guid.NewGuid():N}"[..24]);
    private readonly string _runtime = $"/dev/shm/akit-{Environment.ProcessId}";
    private readonly string _bridge = $"akit{Environment.ProcessId}";
    private string? _skip;

    private string Gates => Path.Combine(_folder, "gates");

    internal SiloProcess HostA { get; private set; } = null!;

    internal SiloProcess HostB { get; private set; } = null!;

    internal IReadOnlyList<SiloProcess> Hosts => [HostA, HostB];

    internal FabricClient Fabric { get; private set; } = null!;

    /// <summary>First three numbers of the addresses on the bridge that both hosts' VMs can join; this machine has the first one.</summary>
    internal string Subnet { get; } = $"10.98.{Environment.ProcessId % 256}";

    public async ValueTask InitializeAsync()
    {
        var guest = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_GUEST");
        _skip = guest is null ? "ARCHITEKT_TEST_GUEST names no guest; build one with compose/guest/build.sh."
            : !Environment.IsPrivilegedProcess ? "Running QEMU as its own user needs root."
            : null;
        if (_skip is not null) return;
        try
        {
            await SetUpAsync(guest!);
        }
        catch
        {
            // Nobody disposes what was not initialized, and the next class wants the same addresses.
            await TearDownAsync();
            throw;
        }
    }

    private async Task SetUpAsync(string guest)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        Directory.CreateDirectory(_folder, (UnixFileMode)0b111_101_101);
        Directory.CreateDirectory(Gates);
        _database = await server.CreateEmptyDatabaseAsync(deadline.Token);
        _postgres.AddRange([new PostgresForwarder(_database), new PostgresForwarder(_database)]);

        // An address of its own, or it would have that of the lowest TAP, and what guests know of this machine would be wrong with each that comes or goes.
        await Command.RunCheckedAsync("ip", ["link", "add", _bridge, "address", "02:77:00:00:00:01", "type", "bridge"], cancellationToken: deadline.Token);
        await Command.RunCheckedAsync("ip", ["address", "add", $"{Subnet}.1/24", "dev", _bridge], cancellationToken: deadline.Token);
        await Command.RunCheckedAsync("ip", ["link", "set", _bridge, "up"], cancellationToken: deadline.Token);
        HostA = new SiloProcess("host-a", "127.0.0.31", Path.Combine(_folder, "a"), _runtime + "-a", _bridge, _postgres[0].ConnectionString, Gates);
        HostB = new SiloProcess("host-b", "127.0.0.32", Path.Combine(_folder, "b"), _runtime + "-b", _bridge, _postgres[1].ConnectionString, Gates);
        await HostA.StartAsync(deadline.Token);
        await HostB.StartAsync(deadline.Token);
        Fabric = await ConnectAsync(deadline.Token);
        foreach (var host in Hosts)
        {
            await ReachAsync(host, deadline.Token);
            await Fabric.ImportPackageAsync(host.Name, guest, "redis", progress: null, deadline.Token);
        }

        await Fabric.RunVmAsync(new VmSpec(Vm, "redis", HostA.Name, HasNetwork: false), deadline.Token);
        await Fabric.WaitForVmAsync(Vm, VmState.Running, TimeSpan.FromMinutes(2), deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_skip is not null) return;
        try
        {
            await Fabric.DeleteVmAsync(Vm, force: true);
        }
        finally
        {
            await TearDownAsync();
        }
    }

    /// <summary>A client of its own, for a test that has it disappear, or that must know which silo it asks.</summary>
    internal Task<FabricClient> ConnectAsync(CancellationToken cancellationToken, SiloProcess? only = null)
    {
        var options = new FabricClientOptions { ClusterId = ClusterId, ConnectTimeout = TimeSpan.FromSeconds(30) };
        foreach (var host in Hosts.Where(host => only is null || host == only)) options.Gateways.Add(host.Gateway);
        return FabricClient.ConnectAsync(options, cancellationToken);
    }

    /// <summary>A silo that has joined is not known to all others at once.</summary>
    internal async Task ReachAsync(SiloProcess host, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await Fabric.ListPackagesAsync(host.Name, cancellationToken);
                return;
            }
            catch (FabricException error) when (error.Code == FabricErrorCode.Unavailable)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
        }
    }

    private async Task TearDownAsync()
    {
        if (Fabric is not null) await Fabric.DisposeAsync();
        foreach (var host in new[] { HostB, HostA })
        {
            if (host is null) continue;
            await host.StopAsync();
            EndLeftovers(host.RuntimeFolder);
            if (Directory.Exists(host.RuntimeFolder)) Directory.Delete(host.RuntimeFolder, recursive: true);
        }

        _postgres.ForEach(static way => way.Dispose());
        await Command.RunAsync("ip", ["link", "delete", _bridge]);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Skips the test where the fabric cannot be set up, with the reason.</summary>
    internal void Require() => Assert.SkipWhen(_skip is not null, _skip ?? "");

    internal SiloProcess Of(string host) => host == HostA.Name ? HostA : HostB;

    internal string Other(string host) => host == HostA.Name ? HostB.Name : HostA.Name;

    /// <summary>Where a host keeps a package.</summary>
    internal string PackageFolder(SiloProcess host, string digest) => Path.Combine(StateFolder(host), "packages", digest);

    /// <summary>Where a host keeps what has arrived of a package it is pulling.</summary>
    internal string PullingFolder(SiloProcess host, string digest) => Path.Combine(StateFolder(host), "packages", $".pulling-{digest}");

    /// <summary>The disks a VM has on a host.</summary>
    internal IReadOnlyList<string> Disks(SiloProcess host, string vm) => Directory.GetFiles(Path.Combine(StateFolder(host), "disks"), $"{vm}.*");

    private string StateFolder(SiloProcess host) => Path.Combine(_folder, host == HostA ? "a" : "b");

    /// <summary>Names of the instance folders on a host: what runs, or was left, there.</summary>
    internal static IReadOnlyList<string> Instances(SiloProcess host) =>
        [.. Directory.EnumerateDirectories(host.RuntimeFolder).Select(static folder => Path.GetFileName(folder))];

    internal static PeerIdentity Identity(SiloProcess host, string instance) => JsonSerializer.Deserialize(
        File.ReadAllBytes(Path.Combine(host.RuntimeFolder, instance, PeerApi.IdentityFile)), PeerJson.Default.PeerIdentity)!;

    internal static async Task UntilAsync(Func<Task<bool>> condition, string what, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"Within 60 s it did not happen that {what}.");
            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>A failed test must not leave its VMs behind; a passed one has left none.</summary>
    private static void EndLeftovers(string runtime)
    {
        if (!Directory.Exists(runtime)) return;
        foreach (var file in Directory.EnumerateFiles(runtime, PeerApi.IdentityFile, SearchOption.AllDirectories))
        {
            var identity = JsonSerializer.Deserialize(File.ReadAllBytes(file), PeerJson.Default.PeerIdentity)!;
            new ProcessIdentity(identity.PeerPid, identity.PeerStartTicks).Kill(ProcessSignal.Kill);
            new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks).Kill(ProcessSignal.Kill);
        }
    }
}
