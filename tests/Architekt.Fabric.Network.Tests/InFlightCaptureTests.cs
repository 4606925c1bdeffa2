using System.Diagnostics;
using Architekt.Fabric.Network.Tests.Hosts;
using static Architekt.Fabric.Network.Tests.Hosts.TestFrames;

namespace Architekt.Fabric.Network.Tests;

/// <summary>Which frames are kept, and how many.</summary>
public sealed class InFlightCaptureTests
{
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
}
