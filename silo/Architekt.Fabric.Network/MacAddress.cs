using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Architekt.Fabric.Network;

/// <summary>An Ethernet hardware address (EUI-48).</summary>
public readonly record struct MacAddress
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 6;

    // IEEE 802, section 8: the two low bits of the first byte say "group" and "locally administered".
    private const byte GroupBit = 0x01;
    private const byte LocalBit = 0x02;

    private readonly ulong _value;

    private MacAddress(ulong value) => _value = value;

    /// <summary>The address of six bytes in the order of the wire.</summary>
    /// <exception cref="ArgumentException">Not six bytes.</exception>
    public MacAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
            throw new ArgumentException($"A MAC address has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        foreach (var part in bytes)
            _value = (_value << 8) | part;
    }

    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(0xffff_ffff_ffffUL);

    /// <summary>True when the address means one station (not broadcast, not multicast).</summary>
    public bool IsUnicast => (FirstByte & GroupBit) == 0;

    /// <summary>True when the address was made up rather than bought.</summary>
    public bool IsLocallyAdministered => (FirstByte & LocalBit) != 0;

    private byte FirstByte => (byte)(_value >> 40);

    /// <summary>The address of a VM: locally administered, unicast, and the same whenever and wherever it is asked for.</summary>
    /// <remarks>46 bits of a SHA-256 of the name: among a million VMs two share an address with a probability below 1 %.</remarks>
    public static MacAddress Generate(string vmName)
    {
        ArgumentException.ThrowIfNullOrEmpty(vmName);
        return FromHash($"architekt/mac/{vmName}", firstByteOf: hashed => (byte)((hashed & ~GroupBit) | LocalBit));
    }

    // A bridge without an address of its own takes the lowest of its ports. libvirt gives its TAPs fe:... for this reason.
    internal static MacAddress ForTap(string tapName) => FromHash($"architekt/tap/{tapName}", firstByteOf: _ => 0xfe);

    /// <summary>Six bytes in the order of the wire.</summary>
    public void CopyTo(Span<byte> destination)
    {
        for (var i = 0; i < Length; i++)
            destination[i] = (byte)(_value >> (8 * (Length - 1 - i)));
    }

    /// <summary>Six bytes in the order of the wire.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Lower case with colons: `02:00:5e:00:00:01`.</summary>
    public override string ToString()
        => string.Join(':', ToArray().Select(part => part.ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>Reads six pairs of hexadecimal digits separated by colons or by hyphens.</summary>
    /// <exception cref="FormatException">The text is no MAC address.</exception>
    public static MacAddress Parse(string text)
        => TryParse(text, out var address)
            ? address
            : throw new FormatException($"'{text}' is no MAC address; expected six pairs of hexadecimal digits such as 02:00:5e:00:00:01.");

    /// <summary>As <see cref="Parse"/>, without the exception.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress address)
    {
        address = default;
        if (text is not { Length: (Length * 3) - 1 } || text[2] is not (':' or '-'))
            return false;

        var value = 0UL;
        for (var i = 0; i < text.Length; i++)
        {
            if (i % 3 == 2)
            {
                if (text[i] != text[2])
                    return false;
            }
            else if (char.IsAsciiHexDigit(text[i]))
                value = (value << 4) | (uint)Convert.ToInt32(text[i].ToString(), 16);
            else
                return false;
        }

        address = new MacAddress(value);
        return true;
    }

    private static MacAddress FromHash(string text, Func<byte, byte> firstByteOf)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        hash[0] = firstByteOf(hash[0]);
        return new MacAddress(hash.AsSpan(0, Length));
    }
}
