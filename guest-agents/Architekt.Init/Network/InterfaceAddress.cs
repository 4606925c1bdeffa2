using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Architekt.Init.Network;

/// <summary>An IPv4 address with the length of its network's prefix.</summary>
internal readonly record struct InterfaceAddress(uint Address, int PrefixLength)
{
    internal uint Mask => PrefixLength == 0 ? 0 : uint.MaxValue << (32 - PrefixLength);

    internal uint Broadcast => Address | ~Mask;

    /// <summary>Reads <c>10.0.0.5/24</c>; without a prefix it is the address alone (/32).</summary>
    internal static bool TryParse(string text, out InterfaceAddress result)
    {
        result = default;
        var parts = text.Split('/');
        var prefix = 32;
        if (parts.Length > 2 || !TryParseAddress(parts[0], out var address)
            || (parts.Length == 2 && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > 32)))
            return false;
        result = new InterfaceAddress(address, prefix);
        return true;
    }

    /// <summary>Reads an address in its usual form only: 4 decimal numbers.</summary>
    internal static bool TryParseAddress([NotNullWhen(true)] string? text, out uint address)
    {
        address = 0;
        if (text is null || text.Count(character => character == '.') != 3 || !IPAddress.TryParse(text, out var parsed))
            return false;
        foreach (var part in parsed.GetAddressBytes())
            address = (address << 8) | part;
        return true;
    }
}
