using System.Formats.Tar;

namespace Architekt.Fabric.Packages;

/// <summary>
/// Writes the tar of an archive. Members are in the GNU format: it has room for more than 8 GiB in the header itself (base-256), which a header
/// that is written after its body needs, and every tar reads it.
/// </summary>
/// <param name="stream">Where to; must be able to seek.</param>
/// <param name="time">The time of all members.</param>
internal sealed class ArkTarWriter(Stream stream, DateTimeOffset time) : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly TarWriter _writer = new(stream, TarEntryFormat.Gnu, leaveOpen: true);
    private readonly DateTimeOffset _time = time < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch : time;

    /// <param name="name">The member's name.</param>
    /// <param name="content">Its bytes; may not know its length.</param>
    internal void Add(string name, Stream content) => _writer.WriteEntry(new GnuTarEntry(TarEntryType.RegularFile, name)
    {
        DataStream = content,
        Mode = Mode,
        ModificationTime = _time,
        AccessTime = default,
        ChangeTime = default,
    });

    /// <summary>Ends the archive.</summary>
    public void Dispose() => _writer.Dispose();
}
