using System.Formats.Tar;
using System.Text;

namespace Architekt.Fabric.Blueprints.Tests.Support;

/// <summary>Makes a tar as images have them, entry by entry.</summary>
internal sealed class TarBuilder : IDisposable
{
    internal static readonly DateTimeOffset Time = new(2024, 2, 29, 12, 0, 0, TimeSpan.Zero);

    private readonly MemoryStream _content = new();
    private readonly TarWriter _writer;

    internal TarBuilder() => _writer = new TarWriter(_content, TarEntryFormat.Pax, leaveOpen: true);

    internal TarBuilder Folder(string path, int mode = 0x1ED, int uid = 0, int gid = 0) =>
        Add(new PaxTarEntry(TarEntryType.Directory, path), mode, uid, gid);

    internal TarBuilder File(string path, string content = "", int mode = 0x1A4, int uid = 0, int gid = 0) =>
        Add(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) }, mode, uid, gid);

    internal TarBuilder Link(string path, string target) => Add(new PaxTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target }, 0x1FF);

    internal TarBuilder HardLink(string path, string target) => Add(new PaxTarEntry(TarEntryType.HardLink, path) { LinkName = target }, 0x1A4);

    internal TarBuilder Device(string path, TarEntryType type, int major, int minor, int mode = 0x1B6) =>
        Add(new PaxTarEntry(type, path) { DeviceMajor = major, DeviceMinor = minor }, mode);

    internal TarBuilder Fifo(string path) => Add(new PaxTarEntry(TarEntryType.Fifo, path), 0x1A4);

    /// <summary>Bytes that no writer here makes: headers with attributes that are not text, for one.</summary>
    internal TarBuilder Raw(byte[] bytes)
    {
        _content.Write(bytes);
        return this;
    }

    internal byte[] Build()
    {
        _writer.Dispose();
        return _content.ToArray();
    }

    public void Dispose()
    {
        _writer.Dispose();
        _content.Dispose();
    }

    private TarBuilder Add(PaxTarEntry entry, int mode, int uid = 0, int gid = 0)
    {
        entry.Mode = (UnixFileMode)mode;
        entry.Uid = uid;
        entry.Gid = gid;
        entry.ModificationTime = Time;
        _writer.WriteEntry(entry);
        return this;
    }
}
