using Architekt.Fabric.Network.Tests.Hosts;
using static Architekt.Fabric.Network.Tests.Hosts.TestFrames;

namespace Architekt.Fabric.Network.Tests;

/// <summary>What happens to the frames that were kept.</summary>
public sealed class InFlightFramesTests
{
    [Fact]
    public async Task ForwardTo_FramesNobodyHasRead_ArriveAtTheOtherHostUnchangedInOrderAndOnce()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var random = new Random(20);
        var sent = Enumerable.Range(0, 100).Select(i => RandomFrame(random, i)).ToList();
        sent.ForEach(frame => client.Send(frame));

        hosts.MoveGuest();
        var arrived = ForwardUntil(hosts, frames, Always, sent.Count);

        Assert.Equal(sent.Select(Content), arrived.Select(frame => frame.Content));
        Assert.Null(hosts.GuestB.TryRead(TimeSpan.Zero, IsExperimental));
        Assert.Equal(0, frames.ForwardTo(TwoHosts.Bridge, Always));
        Assert.Equal(0, frames.Lost);
    }

    [Fact]
    public async Task ForwardTo_FramesFromBeforeTheStop_AreNotSent()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        EnsureKernelStamps(hosts, client);
        frames.Discard();
        var random = new Random(21);
        for (var i = 0; i < 10; i++)
        {
            client.Send(RandomFrame(random, i));
            hosts.GuestA.Read(IsExperimental);
        }

        var stopped = DateTimeOffset.UtcNow;
        var late = Enumerable.Range(10, 10).Select(i => RandomFrame(random, i)).ToList();
        late.ForEach(frame => client.Send(frame));
        hosts.MoveGuest();

        Assert.Equal(late.Select(Content), ForwardUntil(hosts, frames, stopped, late.Count).Select(frame => frame.Content));
        Assert.Null(hosts.GuestB.TryRead(TimeSpan.Zero, IsExperimental));
    }

    [Fact]
    public async Task Discard_FramesKeptSoFar_AreForgotten()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var random = new Random(22);
        client.Send(RandomFrame(random, 0));
        hosts.GuestA.Read(IsExperimental);

        Assert.NotEqual(0, frames.Discard());
        Assert.Equal(0, frames.Discard());

        var late = RandomFrame(random, 1);
        client.Send(late);
        hosts.MoveGuest();
        Assert.Equal(Content(late), Assert.Single(ForwardUntil(hosts, frames, Always, 1)).Content);
        Assert.Null(hosts.GuestB.TryRead(TimeSpan.Zero, IsExperimental));
    }

    [Fact]
    public async Task ForwardTo_TapStillAttached_DoesNotCatchItsOwnFramesAgain()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var frame = RandomFrame(new Random(23), 0);
        client.Send(frame);
        hosts.GuestA.Read(IsExperimental);

        // The bridge still believes the guest to be at host A.
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, Always));
        Assert.Equal(Content(frame), hosts.GuestA.Read(IsExperimental).Content);

        Assert.Equal(0, frames.ForwardTo(TwoHosts.Bridge, Always));
    }

    [Fact]
    public async Task ForwardTo_TapIsGone_StillSendsWhatWasKept()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var frame = RandomFrame(new Random(24), 0);
        client.Send(frame);
        hosts.GuestA.Read(IsExperimental);

        hosts.MoveGuest();
        hosts.TapA.SetUp(false);
        hosts.TapA.Dispose();

        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, Always));
        Assert.Equal(Content(frame), hosts.GuestB.Read(IsExperimental).Content);
    }

    [Fact]
    public async Task ForwardTo_TaggedFrames_KeepTheirVlan()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var tagged = RandomFrame(new Random(25), 0);
        byte[] tag = [0x81, 0x00, 0x60, 0x05];
        tagged = [.. tagged[..12], .. tag, .. tagged[12..]];
        client.Send(tagged);

        hosts.MoveGuest();

        Assert.Equal(Content(tagged), Assert.Single(ForwardUntil(hosts, frames, Always, 1, frame => frame.EtherType == 0x8100)).Content);
    }

    [Fact]
    public async Task ForwardTo_NoSuchBridge_NamesItAndKeepsTheFrames()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        client.Send(RandomFrame(new Random(28), 0));
        hosts.GuestA.Read(IsExperimental);

        Assert.Contains("'nowhere'", Assert.Throws<NetworkException>(() => frames.ForwardTo("nowhere", Always)).Message, StringComparison.Ordinal);

        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, Always));
    }

    [Fact]
    public async Task ForwardTo_ClientBehindTheOtherHost_NoBridgeLosesTrackOfIt()
    {
        using var hosts = await TwoHosts.CreateAsync();
        var mac = MacAddress.Generate("client behind B");
        using var there = await NetworkNamespace.CreateAsync();
        await hosts.B.IpAsync($"link add far type veth peer name eth0 address {mac} netns {there.Name}");
        await there.IpAsync("link set eth0 up");
        await new HostBridge(hosts.B.Ip).EnsureAsync(TwoHosts.Bridge, "far", TestContext.Current.CancellationToken);
        await Task.WhenAll(there.WaitUntilCarriesAsync("eth0"), hosts.B.WaitUntilCarriesAsync("far"));
        using var client = there.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var frame = RandomFrame(new Random(30), 0);
        mac.CopyTo(frame.AsSpan(6));
        client.Send(frame);
        hosts.GuestA.Read(IsExperimental);

        hosts.MoveGuest();
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, Always));

        Assert.Equal(Content(frame), hosts.GuestB.Read(IsExperimental).Content);
        Assert.Equal("far", await hosts.B.LearnedPortAsync(TwoHosts.Bridge, mac));
        Assert.Equal(TwoHosts.Uplink, await hosts.A.LearnedPortAsync(TwoHosts.Bridge, mac));
    }

    [Fact]
    public async Task ForwardTo_Broadcasts_GoToTheGuestAlone()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        using var bystander = hosts.B.Run(() =>
        {
            var tap = TapDevice.Open(TapName.For("bystander", 1));
            tap.AttachToBridge(TwoHosts.Bridge);
            tap.SetUp(true);
            return tap;
        });
        var others = new FakeGuest(bystander, MacAddress.Broadcast);
        var frame = RandomFrame(new Random(31), 0);
        MacAddress.Broadcast.CopyTo(frame);
        client.Send(frame);
        Assert.Equal(frame, others.Read(IsExperimental).Ethernet);

        hosts.MoveGuest();
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, Always));

        Assert.Equal(Content(frame), hosts.GuestB.Read(IsExperimental).Content);
        Assert.Null(others.TryRead(TimeSpan.Zero, IsExperimental));
    }

    // The kernel turns its time stamps on shortly after the first socket has asked for them; a frame from before counts as new.
    private static void EnsureKernelStamps(TwoHosts hosts, RawSender client)
    {
        using var observer = hosts.A.Run(() =>
        {
            var socket = PacketSocket.Open();
            PacketSocket.Set(socket, PacketSocket.LevelPacket, PacketSocket.VirtioHeader, 1);
            PacketSocket.Set(socket, PacketSocket.LevelSocket, PacketSocket.Timestamp, 1);
            using var control = new InterfaceControl();
            PacketSocket.Bind(socket, control.IndexOf(hosts.TapA.Name), PacketSocket.AllProtocols, hosts.TapA.Name);
            return socket;
        });
        var buffer = new byte[CapturedFrame.BufferLength];
        var random = new Random(29);
        for (var stamped = false; !stamped;)
        {
            client.Send(RandomFrame(random, 0));
            hosts.GuestA.Read(IsExperimental);
            var read = DateTimeOffset.UtcNow;
            while (CapturedFrame.Read(observer, buffer, out var frame) == ReadOutcome.Frame)
                stamped = frame.ReceivedUtc <= read;
        }
    }
}
