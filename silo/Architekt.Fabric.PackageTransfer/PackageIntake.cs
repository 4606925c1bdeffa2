using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>
/// A package on its way into a store, as exports of an NBD server that someone writes to, one for each entry. They are in no list and their names cannot be
/// guessed: whoever was told one may write. What was flushed stays for another attempt (<see cref="PackagePull"/>).
/// </summary>
public sealed class PackageIntake : IAsyncDisposable
{
    private readonly NbdServer _server;
    private readonly PackagePull _pull;
    private readonly List<IntakeExport> _exports = [];
    private int _isClosed;

    private PackageIntake(NbdServer server, PackagePull pull) => (_server, _pull) = (server, pull);

    /// <summary>The names of the exports, by the entries' names.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>();

    /// <summary>What is still missing, by the entries' names.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<PackageRange>> Missing => _pull.Manifest.Entries.ToDictionary(entry => entry.Name, entry => _pull.Missing(entry.Name));

    /// <summary>Opens the exports.</summary>
    /// <param name="server">Who serves them.</param>
    /// <param name="pull">Where everything goes; ended with the intake, or when this throws.</param>
    public static PackageIntake Open(NbdServer server, PackagePull pull)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(pull);
        var intake = new PackageIntake(server, pull);
        try
        {
            intake.Open();
            return intake;
        }
        catch
        {
            // A server that takes no export serves none: it is ending.
            pull.Dispose();
            throw;
        }
    }

    /// <summary>Takes no more, and makes a package of what has arrived.</summary>
    /// <inheritdoc cref="PackagePull.CommitAsync"/>
    public async Task<StoredPackage> CommitAsync(IReadOnlyList<string> names, IProgress<PackageProgress>? progress, CancellationToken cancellationToken)
    {
        await CloseAsync().ConfigureAwait(false);
        return await _pull.CommitAsync(names, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes no more, and throws away what has arrived.</summary>
    public async Task DiscardAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _pull.Discard();
    }

    /// <summary>Takes no more. What has arrived stays for the next attempt.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        _pull.Dispose();
    }

    private void Open()
    {
        var secret = ExportSecret.Create();
        var names = new Dictionary<string, string>();
        foreach (var entry in _pull.Manifest.Entries)
        {
            var export = new IntakeExport($"{secret}/{entry.Name}", _pull, entry);
            _server.AddExport(export);
            _exports.Add(export);
            names[entry.Name] = export.Name;
        }

        Names = names;
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
            return;
        foreach (var export in _exports)
            await _server.RemoveExportAsync(export.Name, CancellationToken.None).ConfigureAwait(false);
    }
}
