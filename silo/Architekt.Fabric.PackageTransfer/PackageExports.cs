using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer;

/// <summary>
/// A package of a store as read-only exports of an NBD server, one for each entry, with their holes (<c>base:allocation</c>). They are in no list and their names
/// cannot be guessed: whoever was told one may read. Until they are closed the package cannot be removed from its store.
/// </summary>
public sealed class PackageExports : IAsyncDisposable
{
    private readonly NbdServer _server;
    private readonly PackageLease _lease;
    private readonly List<FileExport> _exports = [];

    private PackageExports(NbdServer server, PackageLease lease) => (_server, _lease) = (server, lease);

    /// <summary>The names of the exports, by the entries' names.</summary>
    public IReadOnlyDictionary<string, string> Names { get; private set; } = new Dictionary<string, string>();

    /// <summary>Opens them.</summary>
    /// <param name="server">Who serves them.</param>
    /// <param name="lease">The package; given back when they are closed, or when this throws.</param>
    public static PackageExports Open(NbdServer server, PackageLease lease)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(lease);
        var opened = new PackageExports(server, lease);
        try
        {
            opened.Open();
            return opened;
        }
        catch
        {
            // Nobody knows a name yet, so no connection has to be waited for.
            opened.Release();
            throw;
        }
    }

    /// <summary>Stops serving them, also to those who read just now.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var export in _exports)
            await _server.RemoveExportAsync(export.Name, CancellationToken.None).ConfigureAwait(false);
        Release();
    }

    private void Open()
    {
        var secret = ExportSecret.Create();
        var names = new Dictionary<string, string>();
        foreach (var entry in _lease.Package.Manifest.Entries)
        {
            var name = $"{secret}/{entry.Name}";
            _exports.Add(FileExport.Open(name, _lease.Package.PathOf(entry.Name), new FileExportOptions { IsReadOnly = true, IsListed = false }));
            names[entry.Name] = name;
        }

        foreach (var export in _exports)
            _server.AddExport(export);
        Names = names;
    }

    private void Release()
    {
        foreach (var export in _exports)
            export.Dispose();
        _lease.Dispose();
    }
}
