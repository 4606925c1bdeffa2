using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Silo.Runtime;

/// <content>The host's packages.</content>
internal sealed partial class HostRuntime
{
    public async Task<IReadOnlyList<PackageInfo>> ListPackagesAsync(CancellationToken cancellationToken)
    {
        var stored = await packages.ListAsync(cancellationToken);
        return [.. stored.SelectMany(package => package.Names.DefaultIfEmpty(package.Digest), ToInfo)];
    }

    public async Task<PackageInfo?> FindPackageAsync(string nameOrDigest, CancellationToken cancellationToken) =>
        await FindStoredAsync(nameOrDigest, cancellationToken) is { } package ? ToInfo(package, NameOf(package, nameOrDigest)) : null;

    public async Task<PackageInfo> ImportPackageAsync(
        string path, string name, IProgress<(long Done, long Total)> progress, CancellationToken cancellationToken)
    {
        if (!Path.IsPathRooted(path))
            throw FabricException.Invalid($"'{path}' must be an absolute path of a folder or an archive on host '{HostName}'.");
        try
        {
            var package = await packages.ImportAsync(path, name, new ByteProgress(progress), cancellationToken);
            return ToInfo(package, name);
        }
        catch (PackageException error)
        {
            throw ToFabric(error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FabricException(FabricErrorCode.Failed, $"'{path}' could not be imported on '{HostName}': {error.Message}", innerException: error);
        }
    }

    /// <summary>What was noted about packages that this host no longer has.</summary>
    internal async Task ForgetFirstPagesAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(paths.FirstPagesFolder)) return;
        foreach (var file in Directory.EnumerateFiles(paths.FirstPagesFolder))
        {
            var name = Path.GetFileName(file);
            if (!FabricNames.IsPackageDigest(name) || await FindStoredAsync(name, cancellationToken) is null) File.Delete(file);
        }
    }

    private async Task<StoredPackage?> FindStoredAsync(string nameOrDigest, CancellationToken cancellationToken)
    {
        try
        {
            return await packages.FindAsync(nameOrDigest, cancellationToken);
        }
        catch (PackageException error)
        {
            throw ToFabric(error);
        }
    }

    private async Task<StoredPackage> RequirePackageAsync(string nameOrDigest, CancellationToken cancellationToken) =>
        await FindStoredAsync(nameOrDigest, cancellationToken) ?? throw Missing(nameOrDigest);

    /// <summary>Finds a package that is to be used and keeps it in the store meanwhile.</summary>
    private async Task<PackageLease> RequireLeaseAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            return await packages.TryUseAsync(digest, cancellationToken) ?? throw Missing(digest);
        }
        catch (PackageException error)
        {
            throw ToFabric(error);
        }
    }

    private FabricException Missing(string reference) =>
        FabricException.NotFound($"Host '{HostName}' has no package '{reference}': import it there with 'fabric package import'.");

    internal PackageInfo ToInfo(StoredPackage package, string name) => new(
        HostName,
        name,
        package.Digest,
        package.Manifest.Kind.ToString().ToLowerInvariant(),
        package.Manifest.Architecture,
        ToWord(package.Manifest.MachineType),
        package.Manifest.Vcpus,
        package.Manifest.MemoryBytes,
        package.Manifest.Entries.Sum(static entry => entry.Size),
        new DateTimeOffset(Directory.GetCreationTimeUtc(package.Folder), TimeSpan.Zero),
        [.. package.Manifest.Entries.Select(static entry => new PackageEntryInfo(entry.Name, entry.Size, entry.Sha256))]);

    private static string NameOf(StoredPackage package, string asked) =>
        package.Names.Contains(asked) ? asked : package.Names.Count > 0 ? package.Names[0] : package.Digest;

    private static string ToWord<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string? EntryOf(StoredPackage package, string name) =>
        package.Manifest.Entries.Any(entry => entry.Name == name) ? package.PathOf(name) : null;

    internal static FabricException ToFabric(PackageException error) => new(
        error.Code switch
        {
            PackageErrorCode.NotFound => FabricErrorCode.NotFound,
            PackageErrorCode.Exists => FabricErrorCode.AlreadyExists,
            PackageErrorCode.InUse => FabricErrorCode.Conflict,
            PackageErrorCode.NoSpace => FabricErrorCode.NoCapacity,
            PackageErrorCode.UnsupportedVersion => FabricErrorCode.Unsupported,
            PackageErrorCode.DigestMismatch => FabricErrorCode.Failed,
            _ => FabricErrorCode.InvalidArgument,
        },
        error.Message,
        innerException: error);

    private sealed class ByteProgress(IProgress<(long Done, long Total)> progress) : IProgress<PackageProgress>
    {
        public void Report(PackageProgress value) => progress.Report((value.BytesDone, value.BytesTotal));
    }
}
