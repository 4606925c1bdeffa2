namespace Architekt.Fabric.Silo.Tests.Hosting;

public sealed class FabricOptionsValidatorTests
{
    /// <summary>The last word of each case is a part of its sentence that no other sentence has.</summary>
    public static TheoryData<string, Action<FabricOptions>, string> Failures => new()
    {
        { "upper case", static o => o.HostName = "Host", "Fabric:HostName 'Host' is not a host name: use 1 to 40 lower-case letters" },
        { "empty name", static o => o.HostName = "", "Fabric:HostName '' is not a host name" },
        { "no address", static o => o.AdvertisedAddress = "host-b", "Fabric:AdvertisedAddress 'host-b' is not an address other hosts can reach" },
        { "any address", static o => o.AdvertisedAddress = "0.0.0.0", "Fabric:AdvertisedAddress '0.0.0.0' is not an address other hosts can reach" },
        { "any address of IPv6", static o => o.AdvertisedAddress = "::", "Fabric:AdvertisedAddress '::' is not an address other hosts can reach" },
        { "relative state", static o => o.StateFolder = "state", "Fabric:StateFolder 'state' must be an absolute path." },
        { "relative runtime", static o => o.RuntimeFolder = "run", "Fabric:RuntimeFolder 'run' must be an absolute path." },
        { "long runtime", static o => o.RuntimeFolder = "/" + new string('x', 40), "is longer than 40 characters: unix sockets in it would not fit." },
        { "empty bridge", static o => o.Bridge = "", "Fabric:Bridge '' is not the name of a network interface." },
        { "long bridge", static o => o.Bridge = "sixteen-letters1", "Fabric:Bridge 'sixteen-letters1' is not the name of a network interface." },
        { "path as bridge", static o => o.Bridge = "a/b", "Fabric:Bridge 'a/b' is not the name of a network interface." },
        { "silo and gateway", static o => o.SiloPort = o.GatewayPort, "must differ." },
        { "silo and health", static o => o.SiloPort = o.HealthPort, "must differ." },
        { "gateway and health", static o => o.GatewayPort = o.HealthPort, "must differ." },
        { "gateway and packages", static o => o.PackagePort = o.GatewayPort, "must differ." },
        { "no peer", static o => o.PeerPath = "/nowhere/architekt-peer", "Fabric:PeerPath '/nowhere/architekt-peer' does not exist: publish Architekt.Fabric.Peer there." },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void Validate_OneMistake_SaysExactlyThat(string mistake, Action<FabricOptions> make, string sentence)
    {
        var options = Valid();
        make(options);

        var result = new FabricOptionsValidator().Validate(null, options);

        Assert.True(result.Failed, mistake);
        Assert.Contains(sentence, Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_Valid_Succeeds() => Assert.True(new FabricOptionsValidator().Validate(null, Valid()).Succeeded);

    [Fact]
    public void Validate_ManyMistakes_SaysAllAtOnce()
    {
        var options = Valid();
        (options.HostName, options.StateFolder, options.Bridge) = ("-", "s", "");

        Assert.Equal(3, new FabricOptionsValidator().Validate(null, options).Failures!.Count());
    }

    private static FabricOptions Valid() => new()
    {
        HostName = "host-a",
        AdvertisedAddress = "10.0.0.1",
        StateFolder = "/var/lib/architekt",
        RuntimeFolder = "/dev/shm/architekt-host-a",
        PeerPath = Environment.ProcessPath!,
    };
}
