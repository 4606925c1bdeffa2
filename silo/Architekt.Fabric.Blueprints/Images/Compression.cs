using System.IO.Compression;
using ZstdSharp;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Undoes the compressions that images are made with.</summary>
internal static class Compression
{
    private const int MagicLength = 4;

    // RFC 1952, 2.3.1; RFC 8878, 3.1.1.
    private static ReadOnlySpan<byte> Gzip => [0x1f, 0x8b];

    private static ReadOnlySpan<byte> Zstandard => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>What is in a stream. Told by its first bytes: media types and file names are often wrong, and these cannot be.</summary>
    /// <param name="open">Opens the stream; called twice.</param>
    internal static Stream Open(Func<Stream> open)
    {
        Span<byte> magic = stackalloc byte[MagicLength];
        int length;
        using (var start = open())
            length = start.ReadAtLeast(magic, MagicLength, throwOnEndOfStream: false);
        magic = magic[..length];
        var stream = open();
        return magic.StartsWith(Gzip) ? new GZipStream(stream, CompressionMode.Decompress)
            : magic.StartsWith(Zstandard) ? new DecompressionStream(stream, leaveOpen: false)
            : stream;
    }

    internal static bool IsCompressed(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[MagicLength];
        magic = magic[..file.ReadAtLeast(magic, MagicLength, throwOnEndOfStream: false)];
        return magic.StartsWith(Gzip) || magic.StartsWith(Zstandard);
    }
}
