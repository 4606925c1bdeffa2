using System.Buffers.Binary;
using System.Net;
using Architekt.Fabric.Network.Tests.Hosts;
using CsCheck;

namespace Architekt.Fabric.Network.Tests;

public sealed class GratuitousAnnounceTests
{
    private static readonly Gen<MacAddress> _macs = Gen.Byte.Array[MacAddress.Length].Select(bytes => new MacAddress(bytes));

    [Fact]
    public void BuildRarp_KnownAddress_IsTheFrameOfTheRfc()
    {
        var frame = GratuitousAnnounce.BuildRarp(MacAddress.Parse("02:0e:d9:fd:68:3d"));

        Assert.Equal(
            "FFFFFFFFFFFF" + "020ED9FD683D" + "8035" + "0001" + "0800" + "06" + "04" + "0003"
            + "020ED9FD683D" + "00000000" + "020ED9FD683D" + "00000000" + new string('0', 36),
            Convert.ToHexString(frame));
    }

    [Fact]
    public void BuildGratuitousArp_KnownAddresses_IsTheFrameOfTheRfc()
    {
        var frame = GratuitousAnnounce.BuildGratuitousArp(MacAddress.Parse("02:0e:d9:fd:68:3d"), IPAddress.Parse("10.77.0.2"));

        Assert.Equal(
            "FFFFFFFFFFFF" + "020ED9FD683D" + "0806" + "0001" + "0800" + "06" + "04" + "0001"
            + "020ED9FD683D" + "0A4D0002" + "000000000000" + "0A4D0002" + new string('0', 36),
            Convert.ToHexString(frame));
    }

    [Fact]
    public void Build_AnyAddresses_CarryThemWhereReceiversLook()
        => Gen.Select(_macs, Gen.UInt).Sample((mac, number) =>
        {
            var ip = new IPAddress(number);
            var frame = GratuitousAnnounce.BuildGratuitousArp(mac, ip);
            return frame.Length == 60
                && new MacAddress(frame.AsSpan(6, 6)) == mac && new MacAddress(frame.AsSpan(22, 6)) == mac
                && new IPAddress(frame.AsSpan(28, 4)).Equals(ip) && new IPAddress(frame.AsSpan(38, 4)).Equals(ip)
                && BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)) == 0x0806;
        });

    [Fact]
    public void BuildGratuitousArp_IPv6_IsRefused()
        => Assert.Throws<ArgumentException>(() => GratuitousAnnounce.BuildGratuitousArp(MacAddress.Broadcast, IPAddress.IPv6Loopback));

    [Fact]
    public async Task SendThroughTap_FromTheOtherHost_MovesTheAddressOnBothBridges()
    {
        using var hosts = await TwoHosts.CreateAsync();
        Assert.Equal(hosts.TapA.Name, await hosts.A.LearnedPortAsync(TwoHosts.Bridge, TwoHosts.GuestMac));
        Assert.Equal(TwoHosts.Uplink, await hosts.B.LearnedPortAsync(TwoHosts.Bridge, TwoHosts.GuestMac));

        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac));

        Assert.Equal(TwoHosts.Uplink, await hosts.A.LearnedPortAsync(TwoHosts.Bridge, TwoHosts.GuestMac));
        Assert.Equal(hosts.TapB.Name, await hosts.B.LearnedPortAsync(TwoHosts.Bridge, TwoHosts.GuestMac));
    }

    [Fact]
    public async Task SendThroughTap_GratuitousArp_TeachesTheClientTheNewAddress()
    {
        using var hosts = await TwoHosts.CreateAsync();
        var another = MacAddress.Generate("another");
        await hosts.Client.IpAsync($"neigh replace {TwoHosts.GuestIp} lladdr {another} dev eth0 nud stale");

        GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildGratuitousArp(TwoHosts.GuestMac, TwoHosts.GuestIp));

        Assert.Contains(TwoHosts.GuestMac.ToString(), await hosts.Client.IpAsync($"neigh show {TwoHosts.GuestIp}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SendThroughTap_TapIsDown_SaysSo()
    {
        using var hosts = await TwoHosts.CreateAsync();
        hosts.TapB.SetUp(false);

        var error = Assert.Throws<NetworkException>(
            () => GratuitousAnnounce.SendThroughTap(hosts.TapB, GratuitousAnnounce.BuildRarp(TwoHosts.GuestMac)));

        Assert.Contains("is it up?", error.Message, StringComparison.Ordinal);
    }
}
