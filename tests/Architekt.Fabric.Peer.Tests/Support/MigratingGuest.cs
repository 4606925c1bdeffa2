using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>One guest for many tests: booting takes most of the time, so it is moved from test to test. A test that ends it has the next one boot anew.</summary>
public sealed class MigratingGuest : IAsyncLifetime
{
    private const int BootSeconds = 120;
    private readonly List<TestPeer> _peers = [];
    private TestHost _host = null!;
    private long _epoch;

    /// <summary>Where the guest runs.</summary>
    internal TestPeer Current { get; private set; } = null!;

    public ValueTask InitializeAsync()
    {
        _host = new TestHost();
        return ValueTask.CompletedTask;
    }

    /// <summary>Makes sure that the guest is up.</summary>
    internal async Task<TestPeer> RequireLiveAsync()
    {
        var guest = TestHost.RequireGuest();
        TestHost.RequireQemu();
        if (DirtyTracking.Probe().Reason is { } reason) Assert.Skip(reason);
        if (Current?.Service.Status.State == PeerState.Running) return Current;
        var peer = await TestPeer.CreateAsync(_host, ++_epoch, guest);
        _peers.Add(peer);
        await peer.Service.BootAsync(_epoch);
        await Deadline.UntilAsync(() => peer.Service.Status.IsLive, "the guest says that it is up", BootSeconds);
        return Current = peer;
    }

    /// <summary>A peer that is ready to take the guest.</summary>
    internal async Task<(TestPeer Peer, PeerOffer Offer)> PrepareAsync(
        string operation, bool verify = false, Func<PeerInstance, PeerInstance>? change = null)
    {
        var peer = await TestPeer.CreateAsync(_host, ++_epoch, TestHost.RequireGuest(), change: change);
        _peers.Add(peer);
        return (peer, await peer.Service.ReceiveAsync(new PeerIncoming(operation, verify, IsLive: true)));
    }

    internal static PeerCopy CopyTo(PeerOffer offer, string operation, long bytesPerSecond = 0) =>
        new(operation, offer, PauseBudgetMs: 200, MaxRounds: 1000, TimeoutMs: 60_000, Connections: 2, bytesPerSecond);

    internal static async Task<PeerTransfer> WaitConvergedAsync(TestPeer source)
    {
        var deadline = Deadline.After(60);
        for (var version = 0L; ;)
        {
            var transfer = await source.Service.WaitTransferAsync(version, deadline);
            Assert.Null(transfer.Error);
            if (transfer.IsConverged) return transfer;
            Assert.False(deadline.IsCancellationRequested, "Copying did not converge.");
            version = transfer.Version;
        }
    }

    /// <summary>Waits until copying has failed and returns why.</summary>
    internal static async Task<string> WaitForErrorAsync(TestPeer source)
    {
        var deadline = Deadline.After(30);
        for (var version = -1L; ;)
        {
            var transfer = await source.Service.WaitTransferAsync(version, deadline);
            if (transfer.Error is { } error) return error;
            version = transfer.Version;
        }
    }

    /// <summary>What the fabric does with a migration that it has not committed: the guest runs at the source.</summary>
    internal static async Task GiveUpAsync(TestPeer source, TestPeer destination, string operation)
    {
        await destination.Service.DiscardAsync(operation);
        await source.Service.RollBackAsync(operation);
        Assert.Equal(PeerState.Running, source.Service.Status.State);
        Assert.Null(source.Service.Status.Operation);
    }

    /// <summary>Everything up to and including the switch: the destination could run, the source stands still.</summary>
    internal async Task<(TestPeer Destination, PeerSwitched Switched)> HandOverAsync(string operation, bool verify = false)
    {
        var (destination, offer) = await PrepareAsync(operation, verify);
        await Current.Service.CopyAsync(CopyTo(offer, operation));
        await WaitConvergedAsync(Current);
        await Current.Service.SuspendAsync(operation);
        return (destination, await Current.Service.SwitchAsync(new PeerStep(operation, verify)));
    }

    /// <summary>A whole migration; the guest's new peer is <see cref="Current"/> afterwards.</summary>
    internal async Task<Migrated> MigrateAsync(string operation, bool verify = false)
    {
        var source = Current;
        var (destination, switched) = await HandOverAsync(operation, verify);
        var loaded = await destination.Service.WaitLoadedAsync(10_000, TestContext.Current.CancellationToken);
        Assert.True(loaded.IsLoaded, loaded.Error);
        var running = await destination.Service.RunAsync(destination.Instance.Epoch);
        await source.Service.ReleaseAsync(new PeerStep(operation));
        Current = destination;
        return new Migrated(source, destination, switched, loaded, running);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers) await peer.DisposeAsync();
        _host.Dispose();
    }
}
