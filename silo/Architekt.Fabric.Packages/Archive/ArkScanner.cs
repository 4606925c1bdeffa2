using System.Formats.Tar;
using System.Text;

namespace Architekt.Fabric.Packages;

/// <summary>
/// Reads the headers of an archive and seeks over the bodies. Everything about the container is checked here, before anything is unpacked:
/// names and kinds of members, order, lengths, and that the archive ends where it says.
/// </summary>
/// <param name="file">The archive.</param>
/// <param name="fileLength">Its length in bytes.</param>
/// <param name="path">Where it is, for messages.</param>
internal sealed class ArkScanner(FileStream file, long fileLength, string path)
{
    private const int BlockSize = 512;

    // Extended headers (pax, GNU long names) are read into memory whole, and none of ours has any; those of other tools are a few dozen bytes.
    private const long MaxExtendedHeader = 64 * 1024;

    // tar pads with zeros to a record of 10 KiB, or of what -b says.
    private const long MaxPadding = 1024 * 1024;

    private readonly Dictionary<string, (long Offset, long Length)> _bodies = [];
    private long _end;

    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.UnsupportedVersion"/>.</exception>
    internal ArkIndex Scan()
    {
        using var reader = new TarReader(file, leaveOpen: true);
        var manifestBytes = ReadManifest(Next(reader));
        var manifest = PackageManifest.Parse(manifestBytes, $"{PackageManifest.FileName} in {path}");
        while (Next(reader) is { } member)
            Add(member, manifest);
        CheckEnd();
        return manifest.Entries.FirstOrDefault(entry => !_bodies.ContainsKey(entry.Name)) is { } missing
            ? throw Refuse($"'{ArkNames.Of(missing)}' is missing")
            : new ArkIndex(manifest, manifestBytes, _bodies, fileLength);
    }

    private byte[] ReadManifest(TarEntry? member)
    {
        if (member is null)
            throw Refuse("it is empty");
        if (member.Name != PackageManifest.FileName)
            throw Refuse($"it must begin with {PackageManifest.FileName}, not '{Shown.Short(member.Name)}'");
        if (member.Length > PackageManifest.MaxBytes)
            throw Refuse($"its {PackageManifest.FileName} has {member.Length} bytes; a manifest has at most {PackageManifest.MaxBytes}");
        var bytes = new byte[member.Length];
        for (var done = 0; done < bytes.Length;)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, bytes.AsSpan(done), member.DataOffset + done);
            done += read > 0 ? read : throw Refuse("it is cut off");
        }

        return bytes;
    }

    private void Add(TarEntry member, PackageManifest manifest)
    {
        if (manifest.Entries.FirstOrDefault(entry => ArkNames.Of(entry) == member.Name) is not { } expected)
        {
            throw Refuse(
                $"'{Shown.Short(member.Name)}' does not belong there; after {PackageManifest.FileName} come {string.Join(", ", manifest.Entries.Select(ArkNames.Of))}");
        }

        if (!_bodies.TryAdd(expected.Name, (member.DataOffset, member.Length)))
            throw Refuse($"'{member.Name}' is there twice");
    }

    /// <summary>The next member, whatever its name: a regular file that is there from its first to its last byte.</summary>
    private TarEntry? Next(TarReader reader)
    {
        CheckExtendedHeaders();
        TarEntry? member;
        try
        {
            member = reader.GetNextEntry();
        }
        catch (EndOfStreamException error)
        {
            throw Refuse("it is cut off", error);
        }
        catch (Exception error) when (error is InvalidDataException or FormatException or ArgumentException or OverflowException)
        {
            throw Refuse($"it is no tar, or a damaged one ({error.Message})", error);
        }

        if (member is null)
            return null;
        if (member.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw Refuse($"'{Shown.Short(member.Name)}' is not a regular file but of the type {member.EntryType}");
        if (member.Length == 0)
            throw Refuse($"'{Shown.Short(member.Name)}' is empty");
        if (member.Length < 0 || member.Length > fileLength - member.DataOffset)
            throw Refuse($"it is cut off: '{Shown.Short(member.Name)}' has {member.Length} bytes from byte {member.DataOffset} on, but the archive has {fileLength} in all");
        _end = RoundUp(member.DataOffset + member.Length);
        return member;
    }

    private void CheckExtendedHeaders()
    {
        Span<byte> header = stackalloc byte[BlockSize];
        var position = _end;
        while (RandomAccess.Read(file.SafeFileHandle, header, position) == BlockSize && header[156] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K')
        {
            var size = OctalSize(header.Slice(124, 12));
            if (size is < 0 or > MaxExtendedHeader || position - _end > MaxExtendedHeader)
                throw Refuse($"the extended headers at byte {_end} are longer than {MaxExtendedHeader} bytes");
            position += BlockSize + RoundUp(size);
        }
    }

    /// <returns>-1 for what is not an octal number, such as the base-256 of what is far too large anyway.</returns>
    private static long OctalSize(ReadOnlySpan<byte> field)
    {
        var digits = Encoding.ASCII.GetString(field).Trim(' ', '\0');
        return digits.All(digit => digit is >= '0' and <= '7') ? digits.Aggregate(0L, (value, digit) => (value * 8) + (digit - '0')) : -1;
    }

    /// <summary>Two blocks of zeros end an archive (tar(5)), and only zeros may follow.</summary>
    private void CheckEnd()
    {
        var padding = fileLength - _end;
        if (padding < 2 * BlockSize)
            throw Refuse("it is cut off: the two blocks of zeros at its end are missing");
        if (padding > MaxPadding)
            throw Refuse($"{padding} bytes follow its last member");
        var rest = new byte[padding];
        var read = RandomAccess.Read(file.SafeFileHandle, rest, _end);
        if (rest.AsSpan(0, read).ContainsAnyExcept((byte)0))
            throw Refuse($"something follows its end at byte {_end}");
    }

    private static long RoundUp(long length) => (length + BlockSize - 1) / BlockSize * BlockSize;

    private PackageException Refuse(string problem, Exception? cause = null) =>
        new(PackageErrorCode.Invalid, $"{path} is not a valid archive: {problem}. Get or export it again.", cause);
}
