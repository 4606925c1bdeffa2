using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Architekt.Fabric.Network;

/// <summary>Names of TAP interfaces.</summary>
public static class TapName
{
    private const string Prefix = "ak";
    private const int HashDigits = 10;
    private static readonly SearchValues<char> _digits = SearchValues.Create("0123456789abcdef");

    /// <summary>The interface of one VM in one epoch: `ak` and ten hexadecimal digits, 12 of the 15 characters that Linux allows.</summary>
    /// <remarks>
    /// The epoch is part of it so that source and destination of a migration can live on one machine. 40 bits: among 1000 VMs of a host
    /// two meet with a probability of 1 in 2 million, and then opening the second TAP fails with "busy"; frames are never mixed up.
    /// </remarks>
    /// <param name="vm">Name of the VM.</param>
    /// <param name="epoch">Number of the ownership.</param>
    public static string For(string vm, long epoch)
    {
        ArgumentException.ThrowIfNullOrEmpty(vm);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"architekt/tap-name/{epoch}/{vm}")));
        return Prefix + Convert.ToHexStringLower(hash)[..HashDigits];
    }

    /// <summary>True when an interface has the form of our names: for a reconciler that looks for what was left behind.</summary>
    public static bool IsOurs(string interfaceName)
        => interfaceName is { Length: 2 + HashDigits } && interfaceName.StartsWith(Prefix, StringComparison.Ordinal)
            && !interfaceName.AsSpan(Prefix.Length).ContainsAnyExcept(_digits);
}
