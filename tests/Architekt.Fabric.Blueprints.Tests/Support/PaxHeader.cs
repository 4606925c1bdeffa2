using System.Globalization;
using System.Text;

namespace Architekt.Fabric.Blueprints.Tests.Support;

/// <summary>A file with extended attributes, as tar(1) writes it with <c>--xattrs</c>; .NET's writer knows text only.</summary>
internal static class PaxHeader
{
    private const int BlockSize = 512;

    internal static byte[] FileWithAttributes(string path, params (string Name, byte[] Value)[] attributes)
    {
        using var records = new MemoryStream();
        foreach (var (name, value) in attributes)
        {
            byte[] record = [.. Encoding.UTF8.GetBytes($" SCHILY.xattr.{name}="), .. value, (byte)'\n'];
            // The length counts its own digits.
            var length = record.Length + 1;
            while (record.Length + length.ToString(CultureInfo.InvariantCulture).Length != length)
                length++;
            records.Write(Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)));
            records.Write(record);
        }

        return [.. Header("PaxHeaders/x", 'x', (int)records.Length), .. Padded(records.ToArray()), .. Header(path, '0', 0)];
    }

    private static byte[] Padded(byte[] content) => [.. content, .. new byte[(BlockSize - (content.Length % BlockSize)) % BlockSize]];

    private static byte[] Header(string path, char type, int size)
    {
        var header = new byte[BlockSize];
        Put(0, path);
        Put(100, "0000755\0");
        Put(108, "0000000\0");
        Put(116, "0000000\0");
        Put(124, Convert.ToString(size, 8).PadLeft(11, '0'));
        Put(136, "00000000000");
        Put(148, "        ");
        Put(156, type.ToString());
        Put(257, "ustar\0" + "00");
        var sum = header.Sum(part => (int)part);
        Put(148, Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ");
        return header;

        void Put(int offset, string text) => Encoding.ASCII.GetBytes(text).CopyTo(header, offset);
    }
}
