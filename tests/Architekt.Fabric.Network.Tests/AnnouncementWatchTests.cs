using Architekt.Fabric.Network.Tests.Hosts;

namespace Architekt.Fabric.Network.Tests;

public sealed class AnnouncementWatchTests
{
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Wait_GuestAnnouncesItselfFromTheOtherHost_IsTold()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var watch = Begin(hosts, _long);

        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));

        Assert.True(watch.Wait());
    }

    [Fact]
    public async Task Wait_OnlyOthersAndTheGuestHereSpeak_IsNotTold()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var watch = Begin(hosts, _short);

        GratuitousAnnounce.SendThroughTap(hosts.TapA, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));
        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(MacAddress.Generate("another")));
        using (var client = hosts.Client.Run(() => new RawSender("eth0"))) client.Send(GratuitousAnnounce.BuildRarp(TwoHosts.ClientMac));

        Assert.False(watch.Wait());
    }

    [Fact]
    public async Task Wait_TapWentDown_EndsAndIsNotTold()
    {
        using var hosts = await TwoHosts.CreateAsync();
        using var watch = Begin(hosts, _short);

        hosts.TapA.SetUp(false);

        Assert.False(watch.Wait());
        Assert.False(watch.Wait());
    }

    [Fact]
    public async Task Begin_NoSuchInterface_SaysSo()
    {
        using var hosts = await TwoHosts.CreateAsync();
        var error = Assert.Throws<NetworkException>(() => hosts.A.Run(() => AnnouncementWatch.Begin("akt-none", TwoHosts.GuestMac, _short)));
        Assert.Contains("akt-none", error.Message, StringComparison.Ordinal);
    }

    private static AnnouncementWatch Begin(TwoHosts hosts, TimeSpan longest) =>
        hosts.A.Run(() => AnnouncementWatch.Begin(hosts.TapA.Name, TwoHosts.GuestMac, longest));
}
