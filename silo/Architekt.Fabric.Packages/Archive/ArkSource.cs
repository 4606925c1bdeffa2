namespace Architekt.Fabric.Packages;

/// <summary>A package in an archive.</summary>
internal sealed class ArkSource : IPackageSource
{
    private readonly FileStream _file;

    private ArkSource(FileStream file, string path, ArkIndex index) => (_file, Path, Index) = (file, path, index);

    public string Path { get; }

    public PackageManifest Manifest => Index.Manifest;

    public byte[] ManifestBytes => Index.ManifestBytes;

    internal ArkIndex Index { get; }

    internal static ArkSource Open(string path)
    {
        var file = new FileStream(RegularFile.Open(path, path, out var length), FileAccess.Read, bufferSize: 0);
        try
        {
            return new ArkSource(file, path, new ArkScanner(file, length, path).Scan());
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void CheckEntries()
    {
        // All that can be seen in the headers has been looked at to open it.
    }

    public long StoredSize(PackageEntry entry) => Index.Bodies[entry.Name].Length;

    public IEnumerable<ContentSegment> Read(PackageEntry entry, CancellationToken cancellationToken)
    {
        var (offset, length) = Index.Bodies[entry.Name];
        var decoder = new FrameDecoder(
            new ArkBody(_file.SafeFileHandle, offset, length),
            entry.Size,
            problem => new PackageException(
                PackageErrorCode.Invalid, $"'{ArkNames.Of(entry)}' in {Path} is damaged: {problem}. Get or export the archive again."));
        return decoder.Decode(cancellationToken);
    }

    public void Dispose() => _file.Dispose();
}
