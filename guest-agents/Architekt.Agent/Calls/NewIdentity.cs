using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Architekt.AgentProtocol;

namespace Architekt.Agent.Calls;

/// <summary>What an identity call asks for, checked; null leaves what the guest has.</summary>
internal sealed record NewIdentity
{
    private const int MacBytes = 6;
    private const int MachineIdDigits = 32;
    private const int MostPrefixBits = 32;

    /// <summary>HOST_NAME_MAX, limits.h.</summary>
    private const int LongestHostname = 64;
    private static readonly SearchValues<char> LowerHexDigits = SearchValues.Create("0123456789abcdef");
    private static readonly SearchValues<char> HostnameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

    internal string? Hostname { get; private init; }

    internal string? MachineId { get; private init; }

    /// <summary>Six bytes.</summary>
    internal byte[]? Mac { get; private init; }

    /// <summary>Four bytes.</summary>
    internal byte[]? Address { get; private init; }

    internal int PrefixBits { get; private init; }

    /// <summary>Four bytes.</summary>
    internal byte[]? Gateway { get; private init; }

    internal bool HasNetwork => Mac is not null || Address is not null || Gateway is not null;

    /// <summary>Null, and what is wrong, if any part is.</summary>
    internal static NewIdentity? Parse(AgentRequest request, out string? wrong)
    {
        byte[]? mac = null, address = null, gateway = null;
        var prefixBits = 0;
        wrong = null;
        if (request.Hostname is { } name && (name.Length is 0 or > LongestHostname || name.AsSpan().ContainsAnyExcept(HostnameCharacters)))
            wrong = $"hostname must have 1 to {LongestHostname} letters, digits, hyphens and dots.";
        else if (request.MachineId is { } id && (id.Length != MachineIdDigits || id.AsSpan().ContainsAnyExcept(LowerHexDigits)))
            wrong = $"machineId must be {MachineIdDigits} hexadecimal digits in lower case.";
        else if (request.Mac is { } macText && !TryParseMac(macText, out mac))
            wrong = $"mac must be {MacBytes} hexadecimal bytes joined by colons, of a single card.";
        else if (request.Address is { } text && !TryParseAddress(text, out address, out prefixBits))
            wrong = "address must be an IPv4 address with its prefix length, like 10.0.0.5/24.";
        else if (request.Gateway is { } gatewayText && !TryParseIp(gatewayText, out gateway))
            wrong = "gateway must be an IPv4 address.";
        return wrong is not null ? null : new NewIdentity
        {
            Hostname = request.Hostname,
            MachineId = request.MachineId,
            Mac = mac,
            Address = address,
            PrefixBits = prefixBits,
            Gateway = gateway,
        };
    }

    private static bool TryParseMac(string text, out byte[]? mac)
    {
        mac = new byte[MacBytes];
        var parts = text.Split(':');
        if (parts.Length != MacBytes)
            return false;
        for (var i = 0; i < MacBytes; i++)
        {
            if (parts[i].Length != 2 || !byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out mac[i]))
                return false;
        }

        // The lowest bit of the first byte marks a group (IEEE 802, 8.2.2), which no card can be.
        return (mac[0] & 1) == 0;
    }

    private static bool TryParseAddress(string text, out byte[]? address, out int prefixBits)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        address = null;
        prefixBits = 0;
        return slash > 0 && TryParseIp(text[..slash], out address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefixBits) && prefixBits is > 0 and <= MostPrefixBits;
    }

    private static bool TryParseIp(string text, out byte[]? address)
    {
        var isIp = IPAddress.TryParse(text, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() == text;
        address = isIp ? parsed!.GetAddressBytes() : null;
        return isIp;
    }
}
