using System.Buffers.Binary;
using System.Text;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Peer.Machine;

namespace Architekt.Fabric.Peer.Migration;

/// <summary>
/// What one peer tells another of a guest's bases: for each, the length of its name (4 bytes, little-endian), the name (UTF-8), the length of its set (4 bytes) and the set
/// (<see cref="PageSet.ToBytes"/>). The last is what the source itself leaves behind.
/// </summary>
internal static class KnownBaseFormat
{
    public static byte[] Write(IReadOnlyList<KnownBase> bases)
    {
        using var stream = new MemoryStream();
        foreach (var known in bases)
        {
            WritePart(stream, Encoding.UTF8.GetBytes(known.Name));
            WritePart(stream, known.Differing.ToBytes(known.Name));
        }

        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">It is damaged, or about RAM of another size.</exception>
    public static IReadOnlyList<KnownBase> Read(ReadOnlySpan<byte> bytes, long length)
    {
        var bases = new List<KnownBase>();
        while (bytes.Length > 0)
        {
            var name = Encoding.UTF8.GetString(ReadPart(ref bytes));
            if (name.Length == 0) throw new InvalidDataException("A base has no name.");
            var differing = PageSet.FromBytes(ReadPart(ref bytes), name);
            if (differing.Length != length) throw new InvalidDataException($"The base {name} is of {differing.Length} bytes of RAM and the guest has {length}.");
            bases.Add(new KnownBase(name, differing));
        }

        return bases;
    }

    private static void WritePart(MemoryStream stream, byte[] part)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, part.Length);
        stream.Write(length);
        stream.Write(part);
    }

    private static ReadOnlySpan<byte> ReadPart(ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < sizeof(int) || BinaryPrimitives.ReadInt32LittleEndian(bytes) is var length && (length < 0 || length > bytes.Length - sizeof(int)))
            throw new InvalidDataException("The list of bases ends in the middle.");
        var part = bytes.Slice(sizeof(int), length);
        bytes = bytes[(sizeof(int) + length)..];
        return part;
    }
}
