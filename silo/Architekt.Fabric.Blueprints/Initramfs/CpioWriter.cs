using System.Globalization;
using System.Text;

namespace Architekt.Fabric.Blueprints.Initramfs;

/// <summary>Writes a cpio archive in the one format the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst, "newc").</summary>
/// <remarks>Everything belongs to root and is of one time, and inodes are counted, so the same content makes the same bytes; nothing of it needs root to be written.</remarks>
/// <param name="output">Where it is written.</param>
/// <param name="time">The time of all files, in seconds since 1970; 32 bits of it are kept.</param>
internal sealed class CpioWriter(Stream output, long time)
{
    // include/uapi/linux/stat.h.
    private const int FolderType = 0x4000;
    private const int RegularType = 0x8000;
    private const int LinkType = 0xA000;
    private const int CharacterDeviceType = 0x2000;

    private const int HeaderSize = 110;
    private const int Alignment = 4;
    private const string Trailer = "TRAILER!!!";

    private readonly byte[] _zeros = new byte[Alignment];
    private uint _inodes;

    internal void AddFolder(string path, int mode) => Add(path, FolderType | mode, []);

    internal void AddFile(string path, int mode, ReadOnlySpan<byte> content) => Add(path, RegularType | mode, content);

    internal void AddLink(string path, string target) => Add(path, LinkType | 0x1FF, Encoding.UTF8.GetBytes(target));

    internal void AddCharacterDevice(string path, int mode, int major, int minor) => Add(path, CharacterDeviceType | mode, [], major, minor);

    /// <summary>Writes the archive's end.</summary>
    internal void Finish() => Write(Trailer, 0, 0, 0, [], 0, 0);

    private void Add(string path, int mode, ReadOnlySpan<byte> content, int major = 0, int minor = 0) =>
        Write(path.TrimStart('/'), ++_inodes, mode, (uint)time, content, major, minor);

    private void Write(string name, uint inode, int mode, uint modifiedAt, ReadOnlySpan<byte> content, int major, int minor)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name + '\0');
        uint[] fields =
        [
            inode, (uint)mode, 0, 0, 1, modifiedAt, (uint)content.Length, 0, 0, (uint)major, (uint)minor, (uint)nameBytes.Length, 0,
        ];
        output.Write(Encoding.ASCII.GetBytes("070701" + string.Concat(fields.Select(field => field.ToString("X8", CultureInfo.InvariantCulture)))));
        output.Write(nameBytes);
        Pad(HeaderSize + nameBytes.Length);
        output.Write(content);
        Pad(content.Length);
    }

    private void Pad(int length) => output.Write(_zeros.AsSpan(0, (Alignment - (length % Alignment)) % Alignment));
}
