using System.Net;

namespace Architekt.Fabric.Network.Tests.Hosts;

/// <summary>Two hosts whose bridges are joined by a cable, a client at host A, and a guest that has a TAP on both.</summary>
internal sealed class TwoHosts : IDisposable
{
    internal const string Bridge = "akbr", Uplink = "uplink", ClientPort = "client";

    private readonly List<IDisposable> _resources = [];

    private TwoHosts(NetworkNamespace a, NetworkNamespace b, NetworkNamespace client)
    {
        (A, B, Client) = (a, b, client);
        _resources.AddRange([a, b, client]);
    }

    internal static IPAddress ClientIp => IPAddress.Parse("10.77.0.9");

    internal static IPAddress GuestIp => IPAddress.Parse("10.77.0.2");

    internal static MacAddress GuestMac { get; } = MacAddress.Generate("guest");

    internal static MacAddress ClientMac { get; } = MacAddress.Generate("client");

    internal NetworkNamespace A { get; }

    internal NetworkNamespace B { get; }

    internal NetworkNamespace Client { get; }

    internal TapDevice TapA { get; private set; } = null!;

    internal TapDevice TapB { get; private set; } = null!;

    internal FakeGuest GuestA => new(TapA, GuestMac);

    internal FakeGuest GuestB => new(TapB, GuestMac);

    internal static async Task<TwoHosts> CreateAsync()
    {
        var hosts = new TwoHosts(await NetworkNamespace.CreateAsync(), await NetworkNamespace.CreateAsync(), await NetworkNamespace.CreateAsync());
        try
        {
            await hosts.WireAsync();
            return hosts;
        }
        catch
        {
            hosts.Dispose();
            throw;
        }
    }

    internal InFlightFrames Capture() => A.Run(() => InFlightFrames.Capture(TapA.Name, GuestMac));

    /// <summary>What the hosts do between commit and forwarding.</summary>
    internal void MoveGuest()
    {
        GratuitousAnnounce.SendThroughTap(TapB, GratuitousAnnounce.BuildRarp(GuestMac));
        TapA.Detach();
    }

    public void Dispose()
    {
        TapA?.Dispose();
        TapB?.Dispose();
        _resources.ForEach(resource => resource.Dispose());
    }

    private static TapDevice OpenTap(NetworkNamespace host, long epoch) => host.Run(() =>
    {
        var tap = TapDevice.Open(TapName.For("guest", epoch));
        tap.AttachToBridge(Bridge);
        tap.SetUp(true);
        return tap;
    });

    private async Task WireAsync()
    {
        var token = TestContext.Current.CancellationToken;
        await A.IpAsync($"link add {Uplink} type veth peer name {Uplink} netns {B.Name}");
        await A.IpAsync($"link add {ClientPort} type veth peer name eth0 netns {Client.Name}");
        await new HostBridge(B.Ip).EnsureAsync(Bridge, Uplink, token);
        await new HostBridge(A.Ip).EnsureAsync(Bridge, Uplink, token);
        await new HostBridge(A.Ip).EnsureAsync(Bridge, ClientPort, token);
        await Client.IpAsync($"link set eth0 address {ClientMac} up");
        await Client.IpAsync($"addr add {ClientIp}/24 dev eth0");
        await Client.IpAsync($"neigh add {GuestIp} lladdr {GuestMac} dev eth0 nud permanent");
        TapA = OpenTap(A, 1);
        TapB = OpenTap(B, 2);
        await Task.WhenAll(
            A.WaitUntilCarriesAsync(Bridge), A.WaitUntilCarriesAsync(Uplink), A.WaitUntilCarriesAsync(ClientPort),
            B.WaitUntilCarriesAsync(Bridge), B.WaitUntilCarriesAsync(Uplink), Client.WaitUntilCarriesAsync("eth0"));
        GratuitousAnnounce.SendThroughTap(TapA, GratuitousAnnounce.BuildRarp(GuestMac));
    }
}
