using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Network.Tests.Hosts;

namespace Architekt.Fabric.Network.Tests;

public sealed class InFlightFramesTests
{
    private const int ExperimentalEtherType = 0x88b5; // IEEE 802, for local experiments
    private static readonly DateTimeOffset _always = DateTimeOffset.MinValue;

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
        var arrived = ForwardUntil(hosts, frames, _always, sent.Count);

        Assert.Equal(sent.Select(Content), arrived.Select(frame => frame.Content));
        Assert.Null(hosts.GuestB.TryRead(TimeSpan.Zero, IsExperimental));
        Assert.Equal(0, frames.ForwardTo(TwoHosts.Bridge, _always));
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
        Assert.Equal(Content(late), Assert.Single(ForwardUntil(hosts, frames, _always, 1)).Content);
        Assert.Null(hosts.GuestB.TryRead(TimeSpan.Zero, IsExperimental));
    }

    [Fact]
    public async Task Capture_FramesFromTheGuest_AreNotKept()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var frames = hosts.Capture();

        for (var i = 0; i < 5; i++)
            hosts.GuestA.Send(GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));

        Assert.Equal(0, frames.Discard());
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
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, _always));
        Assert.Equal(Content(frame), hosts.GuestA.Read(IsExperimental).Content);

        Assert.Equal(0, frames.ForwardTo(TwoHosts.Bridge, _always));
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

        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, _always));
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

        Assert.Equal(Content(tagged), Assert.Single(ForwardUntil(hosts, frames, _always, 1, frame => frame.EtherType == 0x8100)).Content);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForwardTo_DatagramsOfAnOrdinarySocket_HaveValidChecksumsWhoeverComputesThem(bool offload)
    {
        using var hosts = await TwoHosts.CreateAsync();
        if (offload)
        {
            hosts.GuestA.EnableOffload();
            hosts.GuestB.EnableOffload();
        }

        using var socket = hosts.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        using var frames = hosts.Capture();
        var payloads = Enumerable.Range(1, 20).Select(i => Enumerable.Repeat((byte)i, 60 * i).ToArray()).ToList();
        foreach (var payload in payloads)
            socket.SendTo(payload, new IPEndPoint(TwoHosts.GuestIp, 7777));

        hosts.MoveGuest();
        var arrived = ForwardUntil(hosts, frames, _always, payloads.Count, frame => frame is { EtherType: 0x0800, Protocol: 17 });

        Assert.Equal(payloads, arrived.Select(frame => frame.UdpPayload.ToArray()));
        Assert.All(arrived, frame => Assert.Equal(offload, frame.NeedsChecksum));
        Assert.All(arrived, frame => Assert.True(frame.HasValidTransportChecksum()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ForwardTo_SegmentsOfATcpConnection_ContinueItAtTheOtherHost(bool offloadAtDestination)
    {
        const int InitialWindow = 10, SegmentSize = 1460; // RFC 6928
        using var hosts = await TwoHosts.CreateAsync();
        hosts.GuestA.EnableOffload();
        if (offloadAtDestination)
            hosts.GuestB.EnableOffload();

        using var socket = hosts.Client.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        var first = await AcceptAsync(hosts, socket, SegmentSize);
        using var frames = hosts.Capture();
        var data = new byte[InitialWindow * SegmentSize];
        new Random(26).NextBytes(data);
        Assert.Equal(data.Length, socket.Send(data));

        // Announced before anything is forwarded, detached only afterwards: both orders must do.
        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));
        var received = new byte[data.Length];
        var missing = data.Length;
        var seen = new HashSet<uint>();
        var segmented = false;
        var started = Stopwatch.GetTimestamp();
        while (missing > 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, $"{missing} bytes have not arrived.");
            frames.ForwardTo(TwoHosts.Bridge, _always);
            while (hosts.GuestB.TryRead(TimeSpan.FromMilliseconds(10), IsTcpData) is { } frame)
            {
                Assert.True(frame.HasValidTransportChecksum());
                segmented |= frame.SegmentationType != 0;
                if (!seen.Add(frame.TcpSequence))
                    continue;
                frame.TcpPayload.CopyTo(received.AsSpan((int)(frame.TcpSequence - first)));
                missing -= frame.TcpPayload.Length;
            }
        }

        Assert.Equal(data, received);
        Assert.Equal(offloadAtDestination, segmented);
        Assert.Equal(0, frames.Lost);
    }

    [Fact]
    public async Task Lost_MoreFramesThanFit_IsCounted()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var big = new byte[1500];
        RandomFrame(new Random(27), 0).AsSpan(0, 14).CopyTo(big);
        var started = Stopwatch.GetTimestamp();
        while (frames.Lost == 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, "The buffer has no end.");
            client.Send(big);
        }

        Assert.InRange(frames.Discard(), 1000, 40_000);
    }

    [Fact]
    public async Task Capture_NoSuchInterface_NamesIt()
    {
        using var host = await NetworkNamespace.CreateAsync();

        var error = Assert.Throws<NetworkException>(() => host.Run(() => InFlightFrames.Capture("nowhere", TwoHosts.GuestMac)));

        Assert.Contains("'nowhere'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardTo_NoSuchBridge_NamesItAndKeepsTheFrames()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        client.Send(RandomFrame(new Random(28), 0));
        hosts.GuestA.Read(IsExperimental);

        Assert.Contains("'nowhere'", Assert.Throws<NetworkException>(() => frames.ForwardTo("nowhere", _always)).Message, StringComparison.Ordinal);

        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, _always));
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
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, _always));

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
        Assert.Equal(1, frames.ForwardTo(TwoHosts.Bridge, _always));

        Assert.Equal(Content(frame), hosts.GuestB.Read(IsExperimental).Content);
        Assert.Null(others.TryRead(TimeSpan.Zero, IsExperimental));
    }

    [Fact]
    public async Task Capture_FramesForOthers_AreNotKept()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var client = hosts.Client.Run(() => new RawSender("eth0"));
        using var frames = hosts.Capture();
        var unknown = MacAddress.Generate("somebody unknown, so bridges send it everywhere");
        var frame = RandomFrame(new Random(32), 0);
        unknown.CopyTo(frame);
        client.Send(frame);
        new FakeGuest(hosts.TapA, unknown).Read(IsExperimental);

        Assert.Equal(0, frames.Discard());
    }

    [Fact]
    public async Task Capture_AnnouncementFromTheDestination_IsNotKept()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var frames = hosts.Capture();

        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));
        new FakeGuest(hosts.TapA, MacAddress.Broadcast).Read(frame => frame.Source == TwoHosts.GuestMac);

        Assert.Equal(0, frames.Discard());
    }

    private static byte[] Content(byte[] ethernet) => ethernet[(2 * MacAddress.Length)..];

    private static bool IsExperimental(GuestFrame frame) => frame.EtherType == ExperimentalEtherType;

    private static bool IsTcpData(GuestFrame frame) => frame is { EtherType: 0x0800, Protocol: 6 } && frame.TcpPayload.Length > 0;

    private static byte[] RandomFrame(Random random, int number)
    {
        var frame = new byte[random.Next(60, 1514)];
        random.NextBytes(frame);
        TwoHosts.GuestMac.CopyTo(frame);
        TwoHosts.ClientMac.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), ExperimentalEtherType);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(14), number);
        return frame;
    }

    // The last frames may still be on their way through the kernel, so forwarding is repeated until all are there.
    private static List<GuestFrame> ForwardUntil(
        TwoHosts hosts, InFlightFrames frames, DateTimeOffset since, int count, Func<GuestFrame, bool>? wanted = null)
    {
        var arrived = new List<GuestFrame>();
        var started = Stopwatch.GetTimestamp();
        while (arrived.Count < count)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < FakeGuest.Limit, $"{arrived.Count} of {count} frames have arrived.");
            frames.ForwardTo(TwoHosts.Bridge, since);
            while (hosts.GuestB.TryRead(TimeSpan.FromMilliseconds(10), wanted ?? IsExperimental) is { } frame)
                arrived.Add(frame);
        }

        return arrived;
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

    /// <summary>Plays the guest's side of the handshake through host A; returns the number of the first byte the client will send.</summary>
    private static async Task<uint> AcceptAsync(TwoHosts hosts, Socket socket, ushort segmentSize)
    {
        const byte Syn = 2, Ack = 16;
        const int Port = 6379;
        var connect = socket.ConnectAsync(new IPEndPoint(TwoHosts.GuestIp, Port), TestContext.Current.CancellationToken).AsTask();
        var syn = hosts.GuestA.Read(frame => frame is { EtherType: 0x0800, Protocol: 6, TcpFlags: Syn });
        hosts.GuestA.Send(GuestFrame.BuildTcp(
            (TwoHosts.GuestMac, TwoHosts.GuestIp, Port), (TwoHosts.ClientMac, TwoHosts.ClientIp, syn.SourcePort),
            sequence: 1000, acknowledged: syn.TcpSequence + 1, Syn | Ack, segmentSize));
        await connect;
        hosts.GuestA.Read(frame => frame is { EtherType: 0x0800, Protocol: 6, TcpFlags: Ack });
        return syn.TcpSequence + 1;
    }
}
