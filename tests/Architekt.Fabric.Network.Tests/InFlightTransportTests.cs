using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Network.Tests.Hosts;
using static Architekt.Fabric.Network.Tests.Hosts.TestFrames;

namespace Architekt.Fabric.Network.Tests;

/// <summary>Frames of ordinary sockets, whose checksums and segments somebody has left to the network card.</summary>
public sealed class InFlightTransportTests
{
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
        var arrived = ForwardUntil(hosts, frames, Always, payloads.Count, frame => frame is { EtherType: 0x0800, Protocol: 17 });

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
            frames.ForwardTo(TwoHosts.Bridge, Always);
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

    private static bool IsTcpData(GuestFrame frame) => frame is { EtherType: 0x0800, Protocol: 6 } && frame.TcpPayload.Length > 0;

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
