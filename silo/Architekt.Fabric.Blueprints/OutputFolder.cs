using Architekt.Fabric.Blueprints.Images;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Blueprints;

/// <summary>The folder a blueprint is put into. All work is done beside it, on the same file system, and goes with <see cref="Dispose"/>.</summary>
internal sealed class OutputFolder : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode Shared = Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private const UnixFileMode SharedFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly string[] _entries = [PackageEntryNames.Kernel, PackageEntryNames.Initramfs, PackageEntryNames.Disk];

    private readonly string _scratch;
    private readonly bool _isReplacing;

    private OutputFolder(string target, string scratch, bool isReplacing)
    {
        Target = target;
        _scratch = scratch;
        _isReplacing = isReplacing;
        WorkFolder = Path.Combine(scratch, "work");
        Directory.CreateDirectory(WorkFolder);
        Directory.CreateDirectory(BuiltFolder);
    }

    internal string Target { get; }

    internal string WorkFolder { get; }

    private string BuiltFolder => Path.Combine(_scratch, "built");

    /// <exception cref="BlueprintException">The folder is there and may not be replaced, or none can be made there.</exception>
    internal static OutputFolder Begin(string target, bool mayReplace)
    {
        target = Path.GetFullPath(target).TrimEnd('/');
        var isThere = File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any());
        if (isThere && !mayReplace)
            throw new BlueprintException(BlueprintErrorCode.Exists, $"{target} exists; choose another folder, or say that it may be replaced.");
        if (isThere && !File.Exists(Path.Combine(target, PackageManifest.FileName)))
            throw new BlueprintException(BlueprintErrorCode.Exists, $"{target} is there and holds no blueprint; it is left alone.");
        try
        {
            var parent = Path.GetDirectoryName(target) ?? throw new BlueprintException(BlueprintErrorCode.Invalid, $"{target} cannot be a blueprint's folder.");
            Directory.CreateDirectory(parent);
            var scratch = Path.Combine(parent, $".{Path.GetFileName(target)}.building-{Guid.NewGuid():N}");
            Directory.CreateDirectory(scratch, Private);
            return new OutputFolder(target, scratch, isThere);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"Nothing can be written beside {target}: {error.Message}", error);
        }
    }

    internal string FileFor(string name) => Path.Combine(BuiltFolder, name);

    /// <summary>What a manifest says of the files.</summary>
    internal async Task<IReadOnlyList<PackageEntry>> DescribeAsync(CancellationToken cancellationToken)
    {
        var entries = new List<PackageEntry>();
        foreach (var name in _entries)
        {
            await using var file = File.OpenRead(FileFor(name));
            var digest = await BlobDigest.OfAsync(file, cancellationToken).ConfigureAwait(false);
            entries.Add(new PackageEntry { Name = name, Size = file.Length, Sha256 = digest[(digest.IndexOf(':') + 1)..] });
        }

        return entries;
    }

    /// <summary>Puts the blueprint where it belongs.</summary>
    internal void Finish()
    {
        foreach (var file in Directory.EnumerateFiles(BuiltFolder))
            File.SetUnixFileMode(file, SharedFile);
        File.SetUnixFileMode(BuiltFolder, Shared);
        if (!_isReplacing)
        {
            if (Directory.Exists(Target))
                Directory.Delete(Target);
            Directory.Move(BuiltFolder, Target);
            return;
        }

        var replaced = Path.Combine(_scratch, "replaced");
        Directory.Move(Target, replaced);
        try
        {
            Directory.Move(BuiltFolder, Target);
        }
        catch
        {
            // Or it would go with all that is temporary.
            Directory.Move(replaced, Target);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(_scratch))
            Directory.Delete(_scratch, recursive: true);
    }
}
