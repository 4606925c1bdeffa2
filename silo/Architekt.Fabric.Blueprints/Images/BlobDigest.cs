using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Digests as images have them (image-spec, descriptor.md): <c>sha256:</c> and 64 hexadecimal digits.</summary>
internal static partial class BlobDigest
{
    private const string Prefix = "sha256:";

    internal static string Of(ReadOnlySpan<byte> bytes) => Prefix + Convert.ToHexStringLower(SHA256.HashData(bytes));

    internal static async Task<string> OfAsync(Stream stream, CancellationToken cancellationToken) =>
        Prefix + Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));

    /// <summary>Where a layout keeps a blob (image-spec, image-layout.md); safe as a path, because the digest is checked.</summary>
    /// <exception cref="BlueprintException">It is no digest that is known here.</exception>
    internal static string PathOf(string? digest)
    {
        if (digest is null || !Pattern().IsMatch(digest))
            throw new BlueprintException(BlueprintErrorCode.Unsupported, $"The image has the digest '{digest}'; only sha256 and 64 hexadecimal digits are known here.");
        return $"blobs/sha256/{digest[Prefix.Length..]}";
    }

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex Pattern();
}
