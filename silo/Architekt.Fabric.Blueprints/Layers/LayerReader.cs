using System.Formats.Tar;
using System.Globalization;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>Reads the tar of a layer. Contents go to numbered files, so that no name from an image is used before the whole tree is known.</summary>
/// <param name="contentFolder">Where the contents are put.</param>
internal sealed class LayerReader(string contentFolder)
{
    private const string Whiteout = ".wh.";

    // AUFS's own, of which the opaque marker is the only one that says something (image-spec, layer.md).
    private const string Reserved = ".wh..wh.";
    private const string Opaque = ".wh..wh..opq";

    // debugfs(8) takes no more for mknod (e2fsprogs, debugfs/debugfs.c, do_mknod).
    private const int MostDevices = 65535;

    private static readonly string[] _attributeNamespaces = ["user.", "trusted.", "security.", "system.posix_acl_"];

    private int _contents;

    /// <summary>Reads all of a layer.</summary>
    /// <param name="tar">Not compressed. It is read to its end.</param>
    /// <param name="source">What it is, for error messages.</param>
    /// <param name="cancellationToken">Looked at for each file.</param>
    /// <exception cref="BlueprintException">It is no tar, or holds what a disk cannot.</exception>
    internal async Task<IReadOnlyList<LayerEntry>> ReadAsync(Stream tar, string source, CancellationToken cancellationToken)
    {
        var entries = new List<LayerEntry>();
        try
        {
            await using var tap = new PaxTap(tar);
            await using var reader = new TarReader(tap, leaveOpen: true);
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                if (await ReadAsync(entry, tap.TakeAttributes(), cancellationToken).ConfigureAwait(false) is { } read)
                    entries.Add(read);
            }

            // The rest is padding, and part of the layer's digest.
            await tap.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException or ZstdSharp.ZstdException)
        {
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"{source} cannot be unpacked: {error.Message.TrimEnd('.')}.", error);
        }

        return entries;
    }

    private async Task<LayerEntry?> ReadAsync(TarEntry entry, IReadOnlyDictionary<string, byte[]> attributes, CancellationToken cancellationToken)
    {
        if (entry.EntryType == TarEntryType.GlobalExtendedAttributes)
            return null;
        var path = LayerPath.Parse(entry.Name);
        if (path.Length > 0 && path[^1] == Opaque)
            return new LayerEntry(path[..^1], null) { IsOpaque = true };
        if (path.Any(name => name.StartsWith(Reserved, StringComparison.Ordinal)))
            return null;
        if (path.Length > 0 && path[^1].StartsWith(Whiteout, StringComparison.Ordinal))
        {
            var hidden = path[^1][Whiteout.Length..];
            if (hidden is "" or "." or "..")
                throw new BlueprintException(BlueprintErrorCode.Invalid, $"The whiteout '{entry.Name}' in the image names nothing.");
            return new LayerEntry([.. path[..^1], hidden], null);
        }

        if (entry.EntryType == TarEntryType.HardLink)
            return new LayerEntry(path, null) { HardLinkTo = LayerPath.Parse(entry.LinkName) };
        var inode = ToInode(entry, attributes);
        if (inode.Kind != FileKind.Regular)
            return new LayerEntry(path, inode);
        return new LayerEntry(path, inode with { ContentPath = await StoreAsync(entry, cancellationToken).ConfigureAwait(false), Size = entry.Length });
    }

    private static Inode ToInode(TarEntry entry, IReadOnlyDictionary<string, byte[]> attributes)
    {
        var kind = entry.EntryType switch
        {
            TarEntryType.Directory => FileKind.Folder,
            TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile => FileKind.Regular,
            TarEntryType.SymbolicLink => FileKind.SymbolicLink,
            TarEntryType.CharacterDevice => FileKind.CharacterDevice,
            TarEntryType.BlockDevice => FileKind.BlockDevice,
            TarEntryType.Fifo => FileKind.Fifo,
            _ => throw Unsupported(entry, $"it is of the kind {entry.EntryType}"),
        };
        if (entry is PaxTarEntry pax && pax.ExtendedAttributes.Keys.Any(name => name.StartsWith("GNU.sparse.", StringComparison.Ordinal)))
            throw Unsupported(entry, "it is stored with holes; make the tar without --sparse");
        if (kind == FileKind.SymbolicLink && (entry.LinkName.Length == 0 || entry.LinkName.Contains('\uFFFD')))
            throw Unsupported(entry, "it is a symbolic link to nothing, or to what is not UTF-8");
        var device = kind is FileKind.CharacterDevice or FileKind.BlockDevice ? entry as PosixTarEntry : null;
        if (device is { DeviceMajor: > MostDevices } or { DeviceMinor: > MostDevices })
            throw Unsupported(entry, "it is a device whose numbers are too large for debugfs");
        return new Inode
        {
            Kind = kind,
            Mode = (int)entry.Mode,
            UserId = (uint)entry.Uid,
            GroupId = (uint)entry.Gid,
            ModifiedAt = entry.ModificationTime.ToUnixTimeSeconds(),
            Attributes = attributes.Where(attribute => IsForLinux(attribute.Key)).ToDictionary(),
            Target = kind == FileKind.SymbolicLink ? entry.LinkName : "",
            DeviceMajor = device?.DeviceMajor ?? 0,
            DeviceMinor = device?.DeviceMinor ?? 0,
        };
    }

    // Others are of the machine the image was made on, such as com.apple.quarantine.
    private static bool IsForLinux(string attribute) => _attributeNamespaces.Any(known => attribute.StartsWith(known, StringComparison.Ordinal));

    private static BlueprintException Unsupported(TarEntry entry, string why) =>
        new(BlueprintErrorCode.Unsupported, $"The file '{entry.Name}' in the image cannot be put on a disk: {why}.");

    private async Task<string> StoreAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var path = Path.Combine(contentFolder, (_contents++).ToString(CultureInfo.InvariantCulture));
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        if (entry.DataStream is { } data)
            await data.CopyToAsync(file, 256 * 1024, cancellationToken).ConfigureAwait(false);
        if (file.Position != entry.Length)
            throw new EndOfStreamException($"the content of '{entry.Name}' ends early");
        return path;
    }
}
