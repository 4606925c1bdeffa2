using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Network;

/// <summary>The bridge of a host: the TAPs of its VMs and, where wanted, an uplink to the other hosts are its ports.</summary>
public sealed class HostBridge(IIpCommand ip)
{
    /// <summary>The interface alias by which a bridge that we have made is known, also after a restart.</summary>
    public const string Marker = "architekt";

    /// <summary>Makes sure that the bridge is there, up, and has the uplink as a port. A bridge made by others is used as it is.</summary>
    /// <param name="name">Name of the bridge, at most 15 characters.</param>
    /// <param name="uplink">Interface to take as a port; null leaves the ports alone.</param>
    /// <param name="cancellationToken">May leave the bridge half made; the next call completes it.</param>
    /// <exception cref="NetworkException">The name belongs to something else, or taking the uplink would cut the host off.</exception>
    public async Task EnsureAsync(string name, string? uplink = null, CancellationToken cancellationToken = default)
    {
        var links = await IpLink.ListAsync(ip, cancellationToken).ConfigureAwait(false);
        var port = uplink is null ? null : await CheckUplinkAsync(name, uplink, links, cancellationToken).ConfigureAwait(false);
        var bridge = Find(links, name) ?? await CreateAsync(name, port, cancellationToken).ConfigureAwait(false);
        if (!bridge.IsBridge)
            throw new NetworkException($"'{name}' cannot be the host's bridge because it is an interface of kind '{bridge.Info?.Kind ?? "device"}'; configure another name.");

        await ip.RunAsync(["link", "set", "dev", name, "up"], cancellationToken).ConfigureAwait(false);
        if (port is null)
            return;

        if (port.Master != name)
            await ip.RunAsync(["link", "set", "dev", port.Name!, "master", name], cancellationToken).ConfigureAwait(false);
        await ip.RunAsync(["link", "set", "dev", port.Name!, "up"], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes the bridge when it is ours and no VM is attached; its uplink becomes free.</summary>
    public async Task<BridgeRemoval> DeleteAsync(string name, CancellationToken cancellationToken = default)
    {
        var links = await IpLink.ListAsync(ip, cancellationToken).ConfigureAwait(false);
        if (Find(links, name) is not { } bridge)
            return BridgeRemoval.Missing;
        if (!bridge.IsBridge || bridge.Alias != Marker)
            return BridgeRemoval.NotOurs;
        if (links.Any(link => link.Master == name && TapName.IsOurs(link.Name!)))
            return BridgeRemoval.InUse;

        await ip.RunAsync(["link", "delete", "dev", name, "type", "bridge"], cancellationToken).ConfigureAwait(false);
        return BridgeRemoval.Deleted;
    }

    internal async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
        => Find(await IpLink.ListAsync(ip, cancellationToken).ConfigureAwait(false), name) is { IsBridge: true };

    private static IpLink? Find(IEnumerable<IpLink> links, string name) => links.FirstOrDefault(link => link.Name == name);

    private async Task<IpLink> CreateAsync(string name, IpLink? uplink, CancellationToken cancellationToken)
    {
        try
        {
            // No multicast snooping: where a querier is, a guest that has just arrived would get no group traffic, and no IPv6 neighbour
            // discovery, until the next query (RFC 3376: 125 s).
            await ip.RunAsync(
                ["link", "add", "name", name, "type", "bridge", "stp_state", "0", "mcast_snooping", "0"], cancellationToken).ConfigureAwait(false);
            await ip.RunAsync(["link", "set", "dev", name, "alias", Marker], cancellationToken).ConfigureAwait(false);
        }
        catch (CommandFailedException)
        {
            // Another process may have made it in between; anything else is a failure.
            if (await FindAsync(name, cancellationToken).ConfigureAwait(false) is { } theirs)
                return theirs;
            throw;
        }

        // An address that was set stays. Otherwise the bridge takes the lowest of its ports, a different one as VMs come and go,
        // and everybody's ARP entry of the host goes stale.
        var bridge = await FindAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new NetworkException($"Bridge '{name}' was deleted by someone else while it was being made.");
        await ip.RunAsync(["link", "set", "dev", name, "address", (uplink ?? bridge).Address!], cancellationToken).ConfigureAwait(false);
        return bridge;
    }

    private async Task<IpLink?> FindAsync(string name, CancellationToken cancellationToken)
        => Find(await IpLink.ListAsync(ip, cancellationToken).ConfigureAwait(false), name);

    private async Task<IpLink> CheckUplinkAsync(string bridge, string uplink, IReadOnlyList<IpLink> links, CancellationToken cancellationToken)
    {
        var port = Find(links, uplink)
            ?? throw new NetworkException($"The uplink '{uplink}' of bridge '{bridge}' does not exist; check the configured name against `ip link`.");
        if (port.Master == bridge)
            return port;
        if (port.Master is not null)
            throw new NetworkException($"The uplink '{uplink}' already belongs to '{port.Master}' and cannot join bridge '{bridge}'.");

        // A port's own addresses stop working, and with them, perhaps, the connection this was asked for through.
        var shown = IpLink.Read(await ip.RunAsync(["-j", "addr", "show", "dev", uplink], cancellationToken).ConfigureAwait(false));
        var address = shown.SelectMany(link => link.Addresses ?? []).FirstOrDefault(info => info.Scope is not ("link" or "host"));
        return address is null
            ? port
            : throw new NetworkException(
                $"The uplink '{uplink}' has the address {address.Local}/{address.PrefixLength}, which would stop working in bridge '{bridge}'; "
                + "move the address to the bridge first, or use an interface without one.");
    }
}
