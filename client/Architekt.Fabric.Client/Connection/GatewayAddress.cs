using System.Globalization;
using System.Net;

namespace Architekt.Fabric.Client.Connection;

/// <summary>A gateway as people write it: <c>host:port</c>, <c>host</c>, <c>[v6]:port</c>.</summary>
internal readonly record struct GatewayAddress(string Host, int Port)
{
    public static GatewayAddress Parse(string? text)
    {
        var trimmed = text?.Trim() ?? "";
        // A bare IPv6 address has colons of its own; only a bracketed one can carry a port.
        if (IPAddress.TryParse(trimmed, out var address) && !trimmed.StartsWith('['))
            return new GatewayAddress(address.ToString(), FabricClientOptions.DefaultGatewayPort);

        var colon = trimmed.LastIndexOf(':');
        var hasPort = colon > trimmed.LastIndexOf(']');
        var host = (hasPort ? trimmed[..colon] : trimmed).Trim('[', ']');
        var port = FabricClientOptions.DefaultGatewayPort;
        var isValid = host.Length > 0 && !host.Any(char.IsWhiteSpace) && Uri.CheckHostName(host) != UriHostNameType.Unknown
            && (!hasPort || int.TryParse(trimmed.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
            && port is > 0 and <= 65535;
        return isValid
            ? new GatewayAddress(host, port)
            : throw FabricException.Invalid($"'{trimmed}' is not a gateway: write host:port, such as {FabricClientOptions.DefaultGateway}.");
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
