using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Runtime;

/// <summary>What a peer is told when it is started, and what its package is kept by until then. The peer is <see cref="FakePeer"/>.</summary>
public sealed class LaunchTests : IAsyncDisposable
{
    private const string Vm = "vm";
    private readonly TestHost _folder = new();
    private readonly RecordingVmStore _vms = new(1) { Owned = [] };
    private RuntimeHost? _host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// Features the guest has seen, and those of the host's "lm", "sse2" and "sse4.1" that must stay hidden from it, since it looks once and goes by that for good. From a guest of which
    /// nothing is known nothing is hidden.
    /// </summary>
    public static TheoryData<string[], string[]> Seen => new()
    {
        { ["lm"], ["sse2", "sse4.1"] },
        { ["lm", "sse2", "sse4.1"], [] },
        { [], [] },
    };

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            foreach (var peer in _host.Peers.Peers) await _host.Runtime.RemoveAsync(peer.Instance.Vm, peer.Instance.Epoch, CancellationToken.None);
            await _host.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Seen))]
    public async Task Start_FromAPackage_HidesWhatItsGuestHasNotSeen(string[] seen, string[] hidden)
    {
        var host = await HostAsync(seen);

        await StartAsync(host, new VmStart(StartKind.Resume));

        Assert.Equal(hidden, Told(host).HiddenCpuFeatures);
    }

    [Theory]
    [MemberData(nameof(Seen))]
    public async Task Prepare_ForAGuestFromElsewhere_HidesWhatItHasNotSeenThere(string[] seen, string[] hidden)
    {
        var host = await HostAsync(["lm", "sse2"]);
        var machine = await DescribeAsync(host) with { CpuFeatures = seen };
        _vms.Operation = "op";

        await host.Runtime.PrepareAsync(
            new MigrationPlan("op", Vm, "host-b", "host-a", 1, machine, new MigrationOptions(), DateTimeOffset.UnixEpoch), bases: [], Token);

        Assert.Equal(hidden, Told(host, epoch: 2).HiddenCpuFeatures);
    }

    [Fact]
    public async Task Start_ThatResumes_IsAMachineOfItsOwn()
    {
        var host = await HostAsync();

        await StartAsync(host, new VmStart(StartKind.Resume, Address: "10.0.0.5/24", Gateway: "10.0.0.1"));

        Assert.Equal(new GuestIdentity(Vm, "10.0.0.5/24", "10.0.0.1", Fresh: true), Told(host).Identity);
    }

    /// <summary>What it is called and where it is, it has on its kernel's command line.</summary>
    [Fact]
    public async Task Start_ThatBoots_IsToldNoIdentity()
    {
        var host = await HostAsync();

        await StartAsync(host, new VmStart(StartKind.Boot));

        Assert.Null(Told(host).Identity);
    }

    [Fact]
    public async Task Start_ItsPackagesNameStandsForAnotherMeanwhile_IsOfThePackageItWasMadeOf()
    {
        var host = await HostAsync();
        var machine = await DescribeAsync(host);
        var other = await host.Store.ImportAsync(await WriteAsync("other", change: static manifest => manifest with { Name = "other" }), null, null, Token);
        await host.Store.TagAsync(other.Digest, "warm", move: true, Token);

        await host.Runtime.StartAsync(new VmInstance(Vm, 1, machine, new VmStart(StartKind.Resume)), Token);

        var package = await host.Store.GetAsync(machine.PackageDigest, Token);
        Assert.NotEqual(other.Digest, package.Digest);
        Assert.Equal(package.PathOf("kernel"), Told(host).KernelPath);
        Assert.Equal(package.PathOf("disk"), Told(host).BaseDiskPath);
        Assert.Equal(package.PathOf("memory"), Told(host).PackageMemoryPath);
        Assert.Equal(package.PathOf("state"), Told(host).PackageStatePath);
    }

    /// <summary>Whoever removes packages asks the peers what they use; before there is a peer nobody could say.</summary>
    [Fact]
    public async Task Start_PeerDoesNotAnswerYet_PackageStays()
    {
        var host = await HostAsync(behaviour: FakePeer.Waits);
        var starting = StartAsync(host, new VmStart(StartKind.Resume));
        try
        {
            await Deadline.UntilAsync(() => host.Peers.IsStarting(Vm, 1), "the peer is being started");

            var error = await Assert.ThrowsAsync<PackageException>(() => host.Store.DeleteAsync("warm", users: null, Token));

            Assert.Equal(PackageErrorCode.InUse, error.Code);
        }
        finally
        {
            await Deadline.UntilAsync(() => host.Peers.Find(Vm, 1) is not null, "the peer's process is there");
            await File.WriteAllTextAsync(Path.Combine(host.Peers.Require(Vm, 1).Folder.Path, FakePeer.GoFile), "", CancellationToken.None);
            await starting;
        }

        await host.Store.DeleteAsync("warm", users: null, Token);
    }

    private static PeerInstance Told(RuntimeHost host, long epoch = 1) => host.Peers.Require(Vm, epoch).Folder.ReadInstance()!;

    private static Task<MachineDescription> DescribeAsync(RuntimeHost host) => host.Runtime.DescribeMachineAsync(new VmSpec(Vm, "warm", HasNetwork: false), Token);

    private static async Task StartAsync(RuntimeHost host, VmStart start) =>
        await host.Runtime.StartAsync(new VmInstance(Vm, 1, await DescribeAsync(host), start), Token);

    private Task<string> WriteAsync(string folder, Func<PackageManifest, PackageManifest> change) => WarmPackage.WriteAsync(_folder[folder], change);

    private async Task<RuntimeHost> HostAsync(string[]? seen = null, string behaviour = FakePeer.Stays)
    {
        var package = await WriteAsync("package", manifest => manifest with { KernelCommandLine = behaviour, CpuFeatures = seen ?? [] });
        _host = await RuntimeHost.CreateAsync(
            new FabricOptions { HostName = "host-a", StateFolder = _folder["state"], RuntimeFolder = _folder["run"], PeerPath = FakePeer.Program }, _vms);
        await _host.Store.ImportAsync(package, null, null, Token);
        return _host;
    }
}
