using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Architekt.Fabric.Memory;

// Format, little-endian: "ArkPages", version (4 bytes), page size (4), bytes of RAM (8), bytes of the base's name (4), the name (UTF-8),
// one bit for each page in words of 8 bytes, XxHash128 of all of that (16 bytes, canonical).
public sealed partial class PageSet
{
    /// <summary>Most bytes of a base's name in UTF-8.</summary>
    public const int LongestBaseName = 1024;

    private const int Version = 1;
    private const int HeaderBytes = 28;
    private const int HashBytes = 16;
    private static ReadOnlySpan<byte> Magic => "ArkPages"u8;

    /// <summary>The set in a form that can be kept or sent.</summary>
    /// <param name="baseName">
    /// Names the RAM that the pages differ from, a package's digest for example. It has to be given again to read the set: pages that differ from one base say nothing
    /// about another.
    /// </param>
    public byte[] ToBytes(string baseName)
    {
        ArgumentException.ThrowIfNullOrEmpty(baseName);
        var name = Encoding.UTF8.GetBytes(baseName);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, LongestBaseName, nameof(baseName));
        var bytes = new byte[HeaderBytes + name.Length + (_words.Length * sizeof(ulong)) + HashBytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), GuestMemory.PageSize);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), name.Length);
        name.CopyTo(bytes.AsSpan(HeaderBytes));
        var words = bytes.AsSpan(HeaderBytes + name.Length, _words.Length * sizeof(ulong));
        for (var i = 0; i < _words.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(words[(i * sizeof(ulong))..], _words[i]);
        XxHash128.Hash(bytes.AsSpan(..^HashBytes), bytes.AsSpan(^HashBytes..));
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> made.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="baseName">The base it has to be about.</param>
    /// <exception cref="InvalidDataException">It is damaged, of a newer version, or about another base: send all of the RAM instead.</exception>
    public static PageSet FromBytes(ReadOnlySpan<byte> bytes, string baseName)
    {
        ArgumentException.ThrowIfNullOrEmpty(baseName);
        if (bytes.Length < HeaderBytes + HashBytes || !bytes.StartsWith(Magic))
            throw Unusable("it does not begin as one");
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) is var version && version != Version)
            throw Unusable($"it is of version {version} and this program reads version {Version}");
        if (!XxHash128.Hash(bytes[..^HashBytes]).AsSpan().SequenceEqual(bytes[^HashBytes..]))
            throw Unusable("its checksum is not that of its content");
        var pageSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        var length = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        var nameBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        if (pageSize != GuestMemory.PageSize || length <= 0 || length % pageSize != 0 || nameBytes is < 0 or > LongestBaseName)
            throw Unusable($"it speaks of {length} bytes of RAM in pages of {pageSize} bytes");
        var wordBytes = (length / GuestMemory.PageSize + PagesPerWord - 1) / PagesPerWord * sizeof(ulong);
        if (bytes.Length != HeaderBytes + nameBytes + wordBytes + HashBytes)
            throw Unusable($"its {bytes.Length} bytes are not what {length} bytes of RAM need");
        if (Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, nameBytes)) is var found && found != baseName)
            throw Unusable($"its base is '{found}' and not '{baseName}'");

        var set = new PageSet(length);
        var words = bytes.Slice(HeaderBytes + nameBytes, (int)wordBytes);
        for (var i = 0; i < set._words.Length; i++)
            set._words[i] = BinaryPrimitives.ReadUInt64LittleEndian(words[(i * sizeof(ulong))..]);
        return set.HasNothingBehindTheEnd ? set : throw Unusable("it has pages behind the end of the RAM");
    }

    /// <summary>Writes the set to a file, replacing one that is there. The file has all of it or, if this fails, its old content.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="baseName">See <see cref="ToBytes"/>.</param>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Save(string path, string baseName)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(ToBytes(baseName));
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    /// <exception cref="IOException">It could not be read.</exception>
    /// <exception cref="InvalidDataException">It is damaged, of a newer version, or about another base: send all of the RAM instead.</exception>
    public static PageSet Load(string path, string baseName)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = File.ReadAllBytes(path);
        try
        {
            return FromBytes(bytes, baseName);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{path}: {error.Message}", error);
        }
    }

    private bool HasNothingBehindTheEnd =>
        Length / GuestMemory.PageSize % PagesPerWord is var used && (used == 0 || _words[^1] >> (int)used == 0);

    private static InvalidDataException Unusable(string reason) =>
        new($"This set of pages cannot be used: {reason}. Without it, all of the RAM counts as different.");
}
