using Architekt.Fabric.Memory;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>
/// A guest that was booted once, checks its memory and its disk all the time, and was written down; made by the first test that needs it.
/// </summary>
public sealed class PackagedGuest : IAsyncLifetime
{
    public const string Digest = "sha256-0123";

    private const int BootSeconds = 180;
    private const string Intact = "mem-intact";

    /// <summary>16 MiB of random numbers in a file system in RAM, looked at again and again. Says on the console what it finds.</summary>
    private const string MemoryCheck =
        "(head -c 16777216 /dev/urandom >/tmp/f; s=$(md5sum </tmp/f); while :; do t=$(md5sum </tmp/f); if [ \"$t\" = \"$s\" ]; then echo mem-''intact; else echo mem-''BROKEN; fi; usleep 200000; done) >/dev/console 2>&1 </dev/null &";

    /// <summary>Says on the console that the guest has been told of its resume: the last that happens to it because of that.</summary>
    private const string Hook = "h=/etc/architekt/after-resume.d/said; echo '#!/bin/sh' >$h; echo 'echo told-of-resume >/dev/console' >>$h; chmod 755 $h";

    private readonly Dictionary<long, string> _packages = [];
    private readonly List<TestPeer> _peers = [];
    private long _epoch;

    internal TestHost Host { get; private set; } = null!;

    public ValueTask InitializeAsync()
    {
        Host = new TestHost();
        return ValueTask.CompletedTask;
    }

    /// <summary>A folder with kernel, initramfs, disk, memory and state.</summary>
    internal async Task<string> RequireAsync(int megabytes = 256)
    {
        var blueprint = TestHost.RequireGuest();
        TestHost.RequireQemu();
        if (DirtyTracking.Probe().Reason is { } reason) Assert.Skip(reason);
        if (_packages.TryGetValue(megabytes, out var package)) return package;
        await using var peer = await BootAsync(megabytes);
        package = MakeFolder(blueprint);
        await peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "make", package, KeepRunning: false));
        Assert.Equal(PeerExitKind.Suspended, (await peer.WaitForExitAsync()).Kind);
        return _packages[megabytes] = package;
    }

    /// <summary>A peer whose guest has booted and checks its memory.</summary>
    internal async Task<TestPeer> BootAsync(int megabytes = 256)
    {
        var peer = await CreateAsync(TestHost.RequireGuest(), megabytes);
        await peer.Service.BootAsync(peer.Instance.Epoch);
        await Deadline.UntilAsync(() => peer.Service.Status.IsLive, "the guest says that it is up", BootSeconds);
        await GuestShell.RunAsync(peer, Hook);
        await GuestShell.RunAsync(peer, MemoryCheck);
        await IntactAsync(peer, 1);
        return peer;
    }

    /// <summary>A new folder for a package; only a checkpoint is missing.</summary>
    internal string MakeFolder(string blueprint)
    {
        var folder = Path.Combine(Host.Path, $"package-{Guid.NewGuid().ToString("N")[..6]}");
        Directory.CreateDirectory(folder);
        foreach (var name in new[] { "kernel", "initramfs" }) File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(blueprint, name));
        return folder;
    }

    /// <summary>A peer whose guest runs, resumed from the package. It ends with the tests.</summary>
    internal async Task<TestPeer> ResumeAsync(string package, string fill = "idle", int megabytes = 256, Func<PeerInstance, PeerInstance>? change = null)
    {
        var peer = await CreateAsync(package, megabytes, instance => (change?.Invoke(instance) ?? instance) with
        {
            PackageMemoryPath = Path.Combine(package, PeerApi.CheckpointMemory),
            PackageStatePath = Path.Combine(package, PeerApi.CheckpointState),
            Fill = fill,
        });
        var status = await peer.Service.BootAsync(peer.Instance.Epoch);
        Assert.Equal((PeerState.Running, true), (status.State, status.IsLive));
        return peer;
    }

    /// <summary>Moves a guest to a new peer, and sees to it that the digests of its RAM agree.</summary>
    internal async Task<(TestPeer Destination, PeerOffer Offer, PeerSwitched Switched, PeerReleased Released)> MigrateAsync(
        TestPeer source, string package, string operation, PeerBase? from, string? keepMemory = null)
    {
        var destination = await CreateAsync(package, (int)(source.Instance.MemoryBytes >> 20));
        var offer = await destination.Service.ReceiveAsync(new PeerIncoming(operation, Verify: true, IsLive: true, from));
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        await source.Service.SuspendAsync(operation);
        var switched = await source.Service.SwitchAsync(new PeerStep(operation, Verify: true));
        var loaded = await destination.Service.WaitLoadedAsync(10_000, TestContext.Current.CancellationToken);
        Assert.True(loaded.IsLoaded, loaded.Error);
        Assert.NotNull(switched.Digest);
        Assert.Equal(switched.Digest, loaded.Digest);
        await destination.Service.RunAsync(destination.Instance.Epoch);
        var released = await source.Service.ReleaseAsync(new PeerStep(operation, KeepMemory: keepMemory));
        await source.WaitForExitAsync();
        return (destination, offer, switched, released);
    }

    /// <summary>Waits until the guest has looked at its memory so many times on this host, and found it as it was.</summary>
    internal static async Task IntactAsync(TestPeer peer, int times)
    {
        await Deadline.UntilAsync(() => peer.ConsoleText().Split(Intact).Length > times, $"the guest looks at its memory {times} times", 90);
        Assert.DoesNotContain("mem-BROKEN", peer.ConsoleText(), StringComparison.Ordinal);
    }

    /// <summary>
    /// Waits until a guest that has resumed is at rest: it has been told so, writes nothing to its disk any more, and goes through all of its work without touching RAM that it had not touched
    /// before. Returns what it has touched.
    /// </summary>
    internal static async Task<PeerStatus> AtRestAsync(TestPeer peer)
    {
        await Deadline.UntilAsync(() => peer.ConsoleText().Contains("told-of-resume", StringComparison.Ordinal), "the guest has run its hooks");
        await GuestShell.RunAsync(peer, "killall -STOP diskcheck");
        var last = peer.Service.Status;
        await Deadline.UntilAsync(
            async () =>
            {
                var before = last;
                await IntactAsync(peer, peer.ConsoleText().Split(Intact).Length + 1);
                last = peer.Service.Status;
                return (last.Fill!.PagesOnDemand, last.ResidentBytes) == (before.Fill!.PagesOnDemand, before.ResidentBytes);
            },
            "the guest touches no more of its memory",
            90);
        return last;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers) await peer.DisposeAsync();
        Host.Dispose();
    }

    private async Task<TestPeer> CreateAsync(string package, int megabytes, Func<PeerInstance, PeerInstance>? change = null)
    {
        var peer = await TestPeer.CreateAsync(Host, ++_epoch, package, change: instance =>
        {
            var sized = instance with { MemoryBytes = (long)megabytes << 20, PackageDigest = Digest };
            return change?.Invoke(sized) ?? sized;
        });
        _peers.Add(peer);
        return peer;
    }
}
