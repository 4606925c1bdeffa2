using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>A guest's name and address on its kernel command line, where our guests look for them when they boot (compose/guest).</summary>
internal static class KernelArguments
{
    private const string AddressKey = "architekt.ip";
    private const string GatewayKey = "architekt.gw";
    private const string HostnameKey = "architekt.hostname";
    private const int LongestPrefix = 32;

    /// <summary>The command line with these and without what it said of them before.</summary>
    public static string Identify(string commandLine, string hostname, string address, string? gateway)
    {
        var kept = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(static argument => argument.Split('=')[0] is not (AddressKey or GatewayKey or HostnameKey));
        var added = new[] { $"{HostnameKey}={hostname}", $"{AddressKey}={address}", gateway is null ? "" : $"{GatewayKey}={gateway}" };
        return string.Join(' ', kept.Concat(added.Where(static argument => argument.Length > 0)));
    }

    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> unless these can be a guest's address and gateway.</summary>
    public static void Require(string? address, string? gateway)
    {
        if (address is null)
        {
            if (gateway is not null) throw FabricException.Invalid($"A gateway ({gateway}) needs an address for the guest: give both.");
            return;
        }

        if (address.Split('/') is not [var ip, var prefix] || !IsAddress(ip) || !int.TryParse(prefix, out var length) || length is < 1 or > LongestPrefix)
            throw FabricException.Invalid($"'{address}' is not an IPv4 address with its prefix length, such as 10.0.0.5/24.");
        if (gateway is not null && !IsAddress(gateway)) throw FabricException.Invalid($"'{gateway}' is not an IPv4 address for a gateway, such as 10.0.0.1.");
    }

    // Written back and compared, because IPAddress also reads 10.5 and 0x0a000005.
    private static bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text;
}
