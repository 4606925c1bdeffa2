using System.Buffers.Binary;
using System.Formats.Tar;
using System.Text;
using ZstdSharp;

namespace Architekt.Fabric.Packages.Tests.Archive;

/// <summary>An archive put together member by member, so that it can be wrong.</summary>
internal sealed class HandMadeArk
{
    private readonly TempFolder _temp;

    /// <summary>Begins with the members of a valid one.</summary>
    internal HandMadeArk(TempFolder temp, TestBlueprint blueprint)
    {
        _temp = temp;
        Members.Add(Member(PackageManifest.FileName, File.ReadAllBytes(blueprint.ManifestPath)));
        foreach (var entry in PackageManifest.Parse(File.ReadAllBytes(blueprint.ManifestPath), "manifest.json").Entries)
            Members.Add(Member(entry.Name + ".zst", Compress(File.ReadAllBytes(blueprint.PathOf(entry.Name)))));
    }

    internal List<TarEntry> Members { get; } = [];

    internal static TarEntry Member(string name, byte[] content) =>
        new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) };

    internal static byte[] Compress(byte[] content)
    {
        using var compressor = new Compressor();
        return compressor.Wrap(content).ToArray();
    }

    internal void Replace(string name, byte[] content) => Members[Members.FindIndex(member => member.Name == name)] = Member(name, content);

    internal byte[] ToArray()
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Gnu, leaveOpen: true))
        {
            foreach (var member in Members)
                writer.WriteEntry(member);
        }

        return stream.ToArray();
    }

    internal string Write() => Write(_temp, ToArray());

    internal static string Write(TempFolder temp, byte[] archive)
    {
        var path = temp.PathOf("hand-made.ark");
        File.WriteAllBytes(path, archive);
        return path;
    }

    /// <summary>The header and the body, padded, of an extended header that claims a size.</summary>
    internal static byte[] ExtendedHeader(char type, long claimedSize)
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes("././@LongLink").CopyTo(header, 0);
        Encoding.ASCII.GetBytes("0000644\00000000\00000000\0").CopyTo(header, 100);
        Encoding.ASCII.GetBytes($"{Convert.ToString(claimedSize, 8).PadLeft(11, '0')}\000000000000\0        {type}").CopyTo(header, 124);
        Encoding.ASCII.GetBytes("ustar  \0").CopyTo(header, 257);
        WriteChecksum(header);
        return header;
    }

    /// <summary>Has the header of a member claim another length, in octal or, where that has no room, as GNU tar does: in binary behind a bit.</summary>
    internal static void Claim(Span<byte> archive, string member, long length)
    {
        var header = archive.Slice(archive.IndexOf(Encoding.ASCII.GetBytes(member + "\0")), 512);
        var field = header.Slice(124, 12);
        field.Clear();
        if (length < 1L << 33)
        {
            Encoding.ASCII.GetBytes(Convert.ToString(length, 8).PadLeft(11, '0')).CopyTo(field);
        }
        else
        {
            field[0] = 0x80;
            BinaryPrimitives.WriteInt64BigEndian(field[4..], length);
        }

        Encoding.ASCII.GetBytes("        ").CopyTo(header[148..]);
        WriteChecksum(header);
    }

    /// <summary>The sum of all bytes, those of the sum itself counted as spaces (tar(5)).</summary>
    private static void WriteChecksum(Span<byte> header)
    {
        var sum = 0;
        foreach (var value in header)
            sum += value;
        Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(header[148..]);
    }
}
