using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Tests.Support;

namespace Architekt.Fabric.Silo.Tests.Runtime;

/// <summary>
/// What a peer is told of the CPU its guest may see: a guest looks once and goes by it for good, so what this host has and the guest has not seen must stay hidden from it.
/// The peer is <see cref="FakePeer"/>.
/// </summary>
public sealed class LaunchTests : IAsyncDisposable
{
    private const string Vm = "vm";
    private readonly TestHost _folder = new();
    private readonly RecordingVmStore _vms = new(1) { Owned = [] };
    private RuntimeHost? _host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Features the guest has seen, and those of the host's "lm", "sse2" and "sse4.1" that it has not; of a guest of which nothing is known, nothing is hidden.</summary>
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
        var machine = await host.Runtime.DescribeMachineAsync(new VmSpec(Vm, "warm", HasNetwork: false), Token);

        await host.Runtime.StartAsync(new VmInstance(Vm, 1, machine, new VmStart(StartKind.Resume)), Token);

        Assert.Equal(hidden, Hidden(host, epoch: 1));
    }

    [Theory]
    [MemberData(nameof(Seen))]
    public async Task Prepare_ForAGuestFromElsewhere_HidesWhatItHasNotSeenThere(string[] seen, string[] hidden)
    {
        var host = await HostAsync(seen: ["lm", "sse2"]);
        var machine = await host.Runtime.DescribeMachineAsync(new VmSpec(Vm, "warm", HasNetwork: false), Token) with { CpuFeatures = seen };
        _vms.Operation = "op";

        await host.Runtime.PrepareAsync(
            new MigrationPlan("op", Vm, "host-b", "host-a", 1, machine, new MigrationOptions(), DateTimeOffset.UnixEpoch), bases: [], Token);

        Assert.Equal(hidden, Hidden(host, epoch: 2));
    }

    private static IReadOnlyList<string>? Hidden(RuntimeHost host, long epoch) => host.Peers.Require(Vm, epoch).Folder.ReadInstance()!.HiddenCpuFeatures;

    private async Task<RuntimeHost> HostAsync(string[] seen)
    {
        var package = await WarmPackage.WriteAsync(_folder["package"], manifest => manifest with { KernelCommandLine = FakePeer.Stays, CpuFeatures = seen });
        _host = await RuntimeHost.CreateAsync(
            new FabricOptions { HostName = "host-a", StateFolder = _folder["state"], RuntimeFolder = _folder["run"], PeerPath = FakePeer.Program }, _vms);
        await _host.Store.ImportAsync(package, null, null, Token);
        return _host;
    }
}
