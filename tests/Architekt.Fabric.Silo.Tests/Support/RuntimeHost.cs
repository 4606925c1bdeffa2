using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Silo.Ownership;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Tests.Support;

/// <summary>A host's runtime with a real store, as a silo puts it together, but without a silo.</summary>
internal sealed class RuntimeHost : IAsyncDisposable
{
    private readonly DiskExports _exports;
    private readonly LeaseKeeper _leases;

    private RuntimeHost(FabricOptions values, HostFacts facts, PackageStore store, IVmStore vms)
    {
        Options = Microsoft.Extensions.Options.Options.Create(values);
        Store = store;
        Peers = new PeerSupervisor(Options, vms, TimeProvider.System, NullLogger<PeerSupervisor>.Instance);
        var paths = new HostPaths(Options);
        paths.Create();
        var ledger = new MemoryLedger(values.HostName, facts.MemoryBytes);
        var kept = new KeptMemory(Options, paths, ledger, TimeProvider.System, NullLogger<KeptMemory>.Instance);
        _exports = new DiskExports(Options, NullLogger<DiskExports>.Instance);
        // Nothing runs here under a lease, so nobody asks for one.
        _leases = new LeaseKeeper(Peers, ownership: null!, Options, TimeProvider.System, NullLogger<LeaseKeeper>.Instance);
        Runtime = new HostRuntime(Options, facts, paths, store, Peers, ledger, kept, _exports, _leases, vms, TimeProvider.System);
    }

    /// <summary>A host without KVM and with Debian 12's QEMU.</summary>
    public static HostFacts Facts { get; } = new("tcg", "", new Version(7, 2, 22), null, [], "6.18", null, 1 << 30, 4) { CpuFeatures = ["lm", "sse2", "sse4.1"] };

    public IOptions<FabricOptions> Options { get; }

    public PackageStore Store { get; }

    public PeerSupervisor Peers { get; }

    public HostRuntime Runtime { get; }

    public static async Task<RuntimeHost> CreateAsync(FabricOptions values, IVmStore vms, HostFacts? facts = null) => new(
        values, facts ?? Facts, await PackageStore.OpenAsync(Path.Combine(values.StateFolder, "packages"), null, TestContext.Current.CancellationToken), vms);

    public async ValueTask DisposeAsync()
    {
        _leases.Dispose();
        await _exports.DisposeAsync();
        Peers.Dispose();
    }
}
