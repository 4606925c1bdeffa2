using System.Net;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo;

/// <summary>What attributes cannot say about <see cref="FabricOptions"/>.</summary>
internal sealed class FabricOptionsValidator : IValidateOptions<FabricOptions>
{
    /// <summary>Longest path of a unix socket (sockaddr_un, unix(7)) less room for an instance's own part.</summary>
    private const int LongestRuntimeFolder = 40;

    public ValidateOptionsResult Validate(string? name, FabricOptions options)
    {
        var failures = new List<string>();
        if (!FabricNames.IsValid(options.HostName))
            failures.Add($"Fabric:HostName '{options.HostName}' is not a host name: use 1 to {FabricNames.MaxNameLength} lower-case letters, digits and hyphens.");
        if (!IPAddress.TryParse(options.AdvertisedAddress, out var address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            failures.Add($"Fabric:AdvertisedAddress '{options.AdvertisedAddress}' is not an address other hosts can reach: give this host's own IP address.");
        if (!Path.IsPathRooted(options.StateFolder))
            failures.Add($"Fabric:StateFolder '{options.StateFolder}' must be an absolute path.");
        if (!Path.IsPathRooted(options.EffectiveRuntimeFolder))
            failures.Add($"Fabric:RuntimeFolder '{options.EffectiveRuntimeFolder}' must be an absolute path.");
        else if (options.EffectiveRuntimeFolder.Length > LongestRuntimeFolder)
            failures.Add($"Fabric:RuntimeFolder '{options.EffectiveRuntimeFolder}' is longer than {LongestRuntimeFolder} characters: unix sockets in it would not fit.");
        if (options.Bridge is { } bridge && (bridge.Length is 0 or > 15 || bridge.Contains('/')))
            failures.Add($"Fabric:Bridge '{bridge}' is not the name of a network interface.");
        int[] ports = [options.SiloPort, options.GatewayPort, options.HealthPort, options.PackagePort];
        if (ports.Distinct().Count() < ports.Length)
            failures.Add("Fabric:SiloPort, Fabric:GatewayPort, Fabric:HealthPort and Fabric:PackagePort must differ.");
        if (!File.Exists(options.PeerPath))
            failures.Add($"Fabric:PeerPath '{options.PeerPath}' does not exist: publish Architekt.Fabric.Peer there.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
