using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network;

/// <summary>Looks whether a host's network can carry VMs, by trying it.</summary>
public static class NetworkProbe
{
    private const string FilterSetting = "/proc/sys/net/bridge/bridge-nf-call-iptables";

    /// <summary>Tries to make a TAP, to run `ip` and to find the bridge.</summary>
    /// <param name="bridge">Name of the host's bridge.</param>
    /// <param name="ip">How to run `ip`; null for the installed one.</param>
    /// <param name="cancellationToken">Cancels the probe.</param>
    public static async Task<NetworkReadiness> ProbeAsync(string bridge, IIpCommand? ip = null, CancellationToken cancellationToken = default)
    {
        var problems = new List<string>();
        var tun = TryTun(problems);
        var (installed, present) = await TryBridgeAsync(ip ?? new IpCommand(), bridge, problems, cancellationToken).ConfigureAwait(false);
        return new NetworkReadiness(tun, installed, present, problems, FindWarnings(bridge));
    }

    private static bool TryTun(List<string> problems)
    {
        try
        {
            using var tap = TapDevice.Open(TapName.For(Guid.NewGuid().ToString(), 0));
            return true;
        }
        catch (NetworkException e)
        {
            problems.Add($"VMs cannot have a network here: {e.Message}");
            return false;
        }
    }

    private static async Task<(bool Installed, bool Present)> TryBridgeAsync(
        IIpCommand ip, string bridge, List<string> problems, CancellationToken cancellationToken)
    {
        try
        {
            if (await new HostBridge(ip).ExistsAsync(bridge, cancellationToken).ConfigureAwait(false))
                return (true, true);

            problems.Add($"The bridge '{bridge}' does not exist; create it with `ip link add {bridge} type bridge`, or let the silo do so as root.");
            return (true, false);
        }
        catch (ToolMissingException e)
        {
            problems.Add(e.Message);
            return (false, false);
        }
        catch (CommandFailedException e)
        {
            problems.Add($"The host's interfaces cannot be listed: {e.Message}");
            return (true, false);
        }
    }

    private static string[] FindWarnings(string bridge)
    {
        try
        {
            if (File.ReadAllText(FilterSetting).Trim() == "1")
            {
                return [$"Frames of bridge '{bridge}' pass the host's iptables, where Docker's FORWARD policy drops them; "
                    + "allow the bridge there, or set net.bridge.bridge-nf-call-iptables to 0."];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The module br_netfilter is not loaded: bridged frames do not meet iptables.
        }

        return [];
    }
}
