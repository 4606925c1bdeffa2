using System.Formats.Tar;
using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>An image that is a tar: its files are read where they are in it, nothing is unpacked.</summary>
internal sealed class ImageArchive : IImageFiles
{
    private const int MaxLinks = 8;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<string, (long Start, long Length)> _files = [];
    private readonly Dictionary<string, string> _links = [];

    private ImageArchive(string source, SafeFileHandle file) => (Source, _file) = (source, file);

    /// <inheritdoc/>
    public string Source { get; }

    /// <param name="path">A tar that is not compressed.</param>
    /// <param name="source">What it is, for error messages.</param>
    /// <param name="cancellationToken">Looked at for each file.</param>
    /// <exception cref="BlueprintException">It is no tar.</exception>
    internal static async Task<ImageArchive> OpenAsync(string path, string source, CancellationToken cancellationToken)
    {
        var archive = new ImageArchive(source, File.OpenHandle(path));
        try
        {
            await using var stream = File.OpenRead(path);
            await using var reader = new TarReader(stream);
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                archive.Add(entry);
            return archive;
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            archive.Dispose();
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"{source} is no tar: {error.Message}", error);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool Has(string path) => Locate(path) is not null;

    /// <inheritdoc/>
    public Stream Open(string path)
    {
        var (start, length) = Locate(path) ?? throw new BlueprintException(BlueprintErrorCode.NotFound, $"The image in {Source} lacks its file {path}.");
        return new FileSlice(_file, start, length);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Add(TarEntry entry)
    {
        var name = Normalize(entry.Name);
        if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            _files[name] = (entry.DataOffset, entry.Length);
        else if (entry.EntryType == TarEntryType.HardLink)
            _links[name] = Normalize(entry.LinkName);
        else if (entry.EntryType == TarEntryType.SymbolicLink)
            // `docker save` links layers that images share.
            _links[name] = Normalize($"{Path.GetDirectoryName(name)}/{entry.LinkName}");
    }

    private (long Start, long Length)? Locate(string path)
    {
        var name = Normalize(path);
        for (var links = 0; links < MaxLinks; links++)
        {
            if (_files.TryGetValue(name, out var place))
                return place;
            if (!_links.TryGetValue(name, out var target))
                return null;
            name = target;
        }

        return null;
    }

    // Only ever a key of the dictionaries; there is nothing it could escape from.
    private static string Normalize(string path) => Path.GetFullPath(path, "/")[1..].TrimEnd('/');
}
