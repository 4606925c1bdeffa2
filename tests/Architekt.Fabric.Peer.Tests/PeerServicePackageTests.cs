using System.Net.Sockets;
using Architekt.Fabric.Agents;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Network;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>A real guest that resumes from a package, several times.</summary>
[Collection(OnePackagedGuest.Name)]
public sealed class PeerServicePackageTests(PackagedGuest guest)
{
    private const int Page = 4096;

    [Theory]
    [InlineData("none")]
    [InlineData("idle")]
    [InlineData("now")]
    public async Task Boot_FromPackage_GuestGoesOnWithItsMemoryAndDisk(string mode)
    {
        var package = await guest.RequireAsync();
        await using var peer = await guest.ResumeAsync(package, mode);

        await peer.PingAgentAsync();
        await PackagedGuest.IntactAsync(peer, 2);

        var status = peer.Service.Status;
        Assert.Equal(mode, status.Fill!.Mode);

        // Filled as fast as possible, it may all be there before the guest touches it.
        Assert.InRange(status.Fill.PagesOnDemand, mode == "now" ? 0 : 1, status.Fill.DataBytes / Page);
        Assert.Equal([PackagedGuest.Digest], status.Bases!);
        if (mode == "none")
        {
            Assert.Equal(("filling", 0), (status.Fill.State, status.Fill.FilledBytes));
            Assert.InRange(status.ResidentBytes, Page, status.Fill.DataBytes * 3 / 4);
            await peer.Service.SetFillAsync(new PeerFillMode(peer.Instance.Epoch, "now"));
        }

        await Deadline.UntilAsync(() => peer.Service.Status.Fill!.State == "complete", "all of the RAM is there");
        Assert.InRange(peer.Service.Status.ResidentBytes, status.Fill.DataBytes, peer.Instance.MemoryBytes);
        var seen = peer.ConsoleText().Split("mem-intact").Length;
        await PackagedGuest.IntactAsync(peer, seen + 1);
    }

    [Fact]
    public async Task Boot_TwoForks_AreMachinesOfTheirOwn()
    {
        var package = await guest.RequireAsync();
        await using var first = await ForkAsync(package, "fork-a", "10.99.0.11/24");
        await using var second = await ForkAsync(package, "fork-b", "10.99.0.12/24");
        await RequireIdentityAsync(first);

        foreach (var (fork, name, address) in new[] { (first, "fork-a", "10.99.0.11/24"), (second, "fork-b", "10.99.0.12/24") })
        {
            await Deadline.UntilAsync(async () => await GuestShell.RunAsync(fork, "hostname") == name, $"the guest is called {name}");
            if (fork.Instance.Mac is not { } mac) continue;
            await Deadline.UntilAsync(async () => (await GuestShell.RunAsync(fork, "ip addr show dev eth0")).Contains(address, StringComparison.Ordinal), $"the guest has {address}");
            await Deadline.UntilAsync(async () => await GuestShell.RunAsync(fork, "cat /sys/class/net/eth0/address") == mac, $"its card has {mac}");
            await Deadline.UntilAsync(
                async () => (await GuestShell.RunAsync(fork, "ip route")).Contains("default via 10.99.0.1", StringComparison.Ordinal), "it has its gateway");
        }

        var ids = new[] { await GuestShell.RunAsync(first, "cat /etc/machine-id"), await GuestShell.RunAsync(second, "cat /etc/machine-id") };
        Assert.All(ids, static id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.NotEqual(ids[0], ids[1]);
        var random = "head -c 16 /dev/urandom | md5sum";
        Assert.NotEqual(await GuestShell.RunAsync(first, random), await GuestShell.RunAsync(second, random));
        await PackagedGuest.IntactAsync(first, 2);
        await PackagedGuest.IntactAsync(second, 2);
    }

    [Fact]
    public async Task Checkpoint_RightAfterTheStart_IsOfAGuestThatKnowsItsName()
    {
        var package = await guest.RequireAsync();
        await using var fork = await ForkAsync(package, "fork-c", "10.99.0.13/24");

        await fork.Service.CheckpointAsync(
            new PeerCheckpoint(fork.Instance.Epoch, "soon", guest.MakeFolder(TestHost.RequireGuest()), KeepRunning: true));

        await RequireIdentityAsync(fork);
        Assert.Equal("fork-c", await GuestShell.RunAsync(fork, "hostname"));
    }

    [Fact]
    public async Task Boot_LargeGuest_DoesNotNeedMoreOfItsMemoryAsItHasMore()
    {
        const int Small = 256, Large = 4096;
        var needed = new Dictionary<int, PeerStatus>();
        foreach (var megabytes in new[] { Small, Large })
        {
            await using var peer = await guest.ResumeAsync(await guest.RequireAsync(megabytes), "none", megabytes);
            needed[megabytes] = await PackagedGuest.AtRestAsync(peer);
            TestContext.Current.TestOutputHelper?.WriteLine($"{megabytes} MiB: {needed[megabytes]}");
        }

        // Sixteen times the RAM.
        Assert.InRange(needed[Large].Fill!.PagesOnDemand, 1, needed[Small].Fill!.PagesOnDemand * 3 / 2);
        Assert.InRange(needed[Large].ResidentBytes, 1, needed[Small].ResidentBytes * 3 / 2);
    }

    [Fact]
    public async Task Boot_AgainFromTheSamePackage_TouchesLittleThatIsMissing()
    {
        var package = await guest.RequireAsync();
        var noted = Path.Combine(guest.Host.Path, $"first-{Guid.NewGuid():N}");
        var missed = new List<long>();
        for (var time = 0; time < 2; time++)
        {
            await using var peer = await guest.ResumeAsync(package, change: instance => instance with { FirstPagesPath = noted });
            await peer.PingAgentAsync();
            missed.Add(peer.Service.Status.Fill!.PagesOnDemand);
            await Deadline.UntilAsync(() => File.Exists(noted), "it is noted what the guest touched");
        }

        Assert.InRange(missed[1], 0, missed[0] / 2);
    }

    [Theory]
    [InlineData("whole", true)]
    [InlineData("damaged", false)]
    [InlineData("another package's", false)]
    [InlineData("another size's", false)]
    public async Task Boot_FirstPagesWereNoted_AddsToThemOrNotesThemAnew(string state, bool isOfUse)
    {
        var package = await guest.RequireAsync();
        var noted = Path.Combine(guest.Host.Path, $"noted-{Guid.NewGuid():N}");
        var before = new PageSet(state == "another size's" ? 512 << 20 : 256 << 20);
        for (var offset = 100L << 20; offset < 200 << 20; offset += 1 << 20) before.Add(new PageRange(offset, Page));
        before.Save(noted, state == "another package's" ? "sha256-other" : PackagedGuest.Digest);
        if (state == "damaged") await File.WriteAllBytesAsync(noted, (await File.ReadAllBytesAsync(noted, TestContext.Current.CancellationToken))[..^100], TestContext.Current.CancellationToken);
        var old = await File.ReadAllBytesAsync(noted, TestContext.Current.CancellationToken);

        await using var peer = await guest.ResumeAsync(package, "none", change: instance => instance with { FirstPagesPath = noted });

        await PackagedGuest.IntactAsync(peer, 1);
        await Deadline.UntilAsync(() => !File.ReadAllBytes(noted).AsSpan().SequenceEqual(old), "it is noted what the guest touched");
        var pages = PageSet.Load(noted, PackagedGuest.Digest);
        Assert.Equal(peer.Instance.MemoryBytes, pages.Length);
        Assert.InRange(pages.Pages, isOfUse ? before.Pages + 1 : 1, LazyFill.MostPagesOnDemand);
        Assert.Equal(isOfUse, before.All(range => pages.Contains(range.Offset)));
    }

    [Fact]
    public async Task PrepareResume_AsAMachineOfItsOwn_IsNotHeardBeforeItHasItsAddressAndHasItsNameSoonAfter()
    {
        var package = await guest.RequireAsync();
        await using var peer = await CreateAsync(package, Path.Combine(package, PeerApi.CheckpointState), static instance => instance with
        {
            Identity = new GuestIdentity("fresh", null, null, Fresh: true),
            Mac = instance.Mac is null ? null : MacAddress.Generate("fresh").ToString(),
        });
        Assert.SkipWhen(peer.Instance.TapName is null, "Only root can give a guest a network card.");
        var tap = peer.Instance.TapName!;

        peer.Service.PrepareResume();
        await Deadline.UntilAsync(() => peer.Service.Status.ResidentBytes > 0, "its devices are being loaded");
        Assert.False(IsUp(tap));
        await peer.Service.BootAsync(peer.Instance.Epoch);

        await Deadline.UntilAsync(() => IsUp(tap), "others can hear it");
        Assert.Equal(peer.Instance.Mac, await GuestShell.RunAsync(peer, "cat /sys/class/net/eth0/address"));
        await Deadline.UntilAsync(async () => await GuestShell.RunAsync(peer, "hostname") == "fresh", "it knows its name");
    }

    [Fact]
    public async Task PrepareResume_NobodyAsks_GuestDoesNotRunAndGoesWithItsPeer()
    {
        var package = await guest.RequireAsync();
        await using var peer = await CreateAsync(package, Path.Combine(package, PeerApi.CheckpointState));

        peer.Service.PrepareResume();
        await Deadline.UntilAsync(() => peer.Service.Status.ResidentBytes > 0, "its devices are being loaded");
        Assert.Equal((PeerState.Idle, 0), (peer.Service.Status.State, peer.Service.Status.GrantedEpoch));
        await peer.Service.EndAsync(PeerExitKind.Discarded, "nobody asked");

        Assert.False(peer.Qemu().IsAlive());
        Assert.Equal(0, peer.ReadIdentity().GrantedEpoch);
        Assert.Empty(peer.ConsoleText());
    }

    [Fact]
    public async Task PrepareResume_ThenBoot_GuestRuns()
    {
        var package = await guest.RequireAsync();
        await using var peer = await CreateAsync(package, Path.Combine(package, PeerApi.CheckpointState));

        peer.Service.PrepareResume();
        await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(peer.Instance.Epoch + 1));
        Assert.Equal(PeerState.Running, (await peer.Service.BootAsync(peer.Instance.Epoch)).State);

        await PackagedGuest.IntactAsync(peer, 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Boot_StateIsDamaged_LeavesNothingRunning(bool isPrepared)
    {
        var package = await guest.RequireAsync();
        var damaged = Path.Combine(guest.Host.Path, $"damaged-{isPrepared}");
        var bytes = await File.ReadAllBytesAsync(Path.Combine(package, PeerApi.CheckpointState), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(damaged, bytes[..(bytes.Length / 2)], TestContext.Current.CancellationToken);
        await using var peer = await CreateAsync(package, damaged);
        if (isPrepared)
        {
            peer.Service.PrepareResume();
            await Deadline.UntilAsync(() => peer.FilesLeft().Contains(PeerApi.IdentityFile) && !peer.Qemu().IsAlive(), "QEMU has refused the state");
        }

        var failure = await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(1));

        Assert.Contains(damaged, failure.Message, StringComparison.Ordinal);
        Assert.Equal(PeerExitKind.StartFailed, (await peer.WaitForExitAsync()).Kind);
        Assert.False(peer.Qemu().IsAlive());
        Assert.Equal(0, peer.ReadIdentity().GrantedEpoch);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Boot_MemoryIsMissing_LeavesNothingRunning(bool isPrepared)
    {
        var package = await guest.RequireAsync();
        var missing = Path.Combine(guest.Host.Path, "nowhere", PeerApi.CheckpointMemory);
        await using var peer = await CreateAsync(package, Path.Combine(package, PeerApi.CheckpointState), memory: missing);
        if (isPrepared) peer.Service.PrepareResume();

        var failure = await Assert.ThrowsAsync<PeerException>(() => peer.Service.BootAsync(1));

        Assert.Contains($"The package's RAM {missing} could not be opened", failure.Message, StringComparison.Ordinal);
        Assert.Equal(PeerExitKind.StartFailed, (await peer.WaitForExitAsync()).Kind);
        Assert.DoesNotContain(PeerApi.MemoryFile, peer.FilesLeft());
        using var qemu = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Assert.Throws<SocketException>(() => qemu.Connect(new UnixDomainSocketEndPoint(peer.AgentSocket)));
    }

    [Fact]
    public async Task Stop_GuestHasResumed_ShutsDown()
    {
        await using var peer = await guest.ResumeAsync(await guest.RequireAsync());
        var epoch = peer.Instance.Epoch;

        await peer.Service.StopAsync(epoch, force: false);

        Assert.Equal(new PeerExit(epoch, PeerExitKind.ShutDown, "the guest shut down"), await peer.WaitForExitAsync(60));
    }

    [Fact]
    public async Task Fill_UnknownMode_IsRefused()
    {
        await using var peer = await guest.ResumeAsync(await guest.RequireAsync(), "none");

        var refusal = await Assert.ThrowsAsync<PeerException>(() => peer.Service.SetFillAsync(new PeerFillMode(peer.Instance.Epoch, "later")));

        Assert.Equal("Refused", refusal.Code);
        Assert.Equal("none", peer.Service.Status.Fill!.Mode);
    }

    private Task<TestPeer> CreateAsync(string package, string state, Func<PeerInstance, PeerInstance>? change = null, string? memory = null) => TestPeer.CreateAsync(
        guest.Host, 1, package, change: instance => (change?.Invoke(instance) ?? instance) with
        {
            PackageMemoryPath = memory ?? Path.Combine(package, PeerApi.CheckpointMemory),
            PackageStatePath = state,
        });

    /// <summary>IFF_UP (netdevice(7)).</summary>
    private static bool IsUp(string tap) => (Convert.ToInt32(File.ReadAllText($"/sys/class/net/{tap}/flags").Trim(), 16) & 1) != 0;

    private Task<TestPeer> ForkAsync(string package, string name, string address) => guest.ResumeAsync(package, change: instance => instance with
    {
        Mac = instance.Mac is null ? null : MacAddress.Generate(name).ToString(),
        Identity = new GuestIdentity(name, instance.Mac is null ? null : address, instance.Mac is null ? null : "10.99.0.1", Fresh: true),
    });

    private static async Task RequireIdentityAsync(TestPeer peer)
    {
        await using var agent = await AgentClient.ConnectAsync(peer.AgentSocket, TestContext.Current.CancellationToken);
        try
        {
            await agent.TakeIdentityAsync(new AgentIdentity(null, null, null, null, null), DateTimeOffset.UtcNow, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        }
        catch (AgentException error) when (error.Kind == AgentExceptionKind.Unsupported)
        {
            Assert.Skip("The guest in ARCHITEKT_TEST_GUEST has an agent that is older than the call 'identity'.");
        }
    }
}
