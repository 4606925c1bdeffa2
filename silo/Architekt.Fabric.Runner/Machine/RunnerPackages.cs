using Architekt.Fabric.Packages;
using Architekt.Fabric.Runner.State;

namespace Architekt.Fabric.Runner.Machine;

/// <summary>The packages a runner has unpacked: each is checked once, is kept as long as a machine needs it, and cannot change under that.</summary>
internal sealed class RunnerPackages
{
    private const int DigitsInName = 12;
    private const int MostTries = 3;
    private readonly RunnerRoot _root;
    private readonly PackageStore _store;

    private RunnerPackages(RunnerRoot root, PackageStore store) => (_root, _store) = (root, store);

    public static async Task<RunnerPackages> OpenAsync(RunnerRoot root, CancellationToken cancellationToken) =>
        new(root, await PackageStore.OpenAsync(root.Packages, logger: null, cancellationToken));

    /// <summary>Brings a package in, unless it is there, and keeps it there.</summary>
    public async Task<PackageLease> UseAsync(PackageFileInfo file, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            if (await _store.TryUseAsync(file.Digest, cancellationToken) is { } lease) return lease;

            // Somebody who sweeps may be faster once.
            if (tries > MostTries) throw new RunnerException(RunnerErrorCode.Conflict, $"The package {file.Digest} is removed from {_store.Root} as soon as it is there; try again.");
            var digits = file.Digest[(file.Digest.IndexOf('-', StringComparison.Ordinal) + 1)..][..DigitsInName];
            await _store.ImportAsync(file.Path, $"{file.Manifest.Name}:{digits}", progress, cancellationToken);
        }
    }

    /// <summary>Removes what no machine needs any more.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var used = _root.PackagesInUse();
        foreach (var package in await _store.ListAsync(cancellationToken))
        {
            if (used.Contains(package.Digest)) continue;
            try
            {
                await _store.DeleteAsync(package.Digest, users: null, cancellationToken);
            }
            catch (PackageException error) when (error.Code is PackageErrorCode.InUse or PackageErrorCode.NotFound)
            {
                // Someone runs it, or was faster.
            }
        }
    }
}
