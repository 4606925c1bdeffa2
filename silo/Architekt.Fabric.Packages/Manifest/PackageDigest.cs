namespace Architekt.Fabric.Packages;

/// <summary>How digests are written.</summary>
internal static class PackageDigest
{
    /// <summary>What a package's digest begins with; also its folder's name in a store.</summary>
    internal const string Prefix = "sha256-";

    internal const int HexLength = 64;

    /// <summary>The fewest hexadecimal digits that may stand for a digest.</summary>
    internal const int ShortestPrefix = 6;

    internal static bool IsHex(string text) => text.All(char.IsAsciiHexDigitLower);

    internal static bool IsSha256(string text) => text.Length == HexLength && IsHex(text);

    internal static bool IsPackageDigest(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) && IsSha256(text[Prefix.Length..]);
}
