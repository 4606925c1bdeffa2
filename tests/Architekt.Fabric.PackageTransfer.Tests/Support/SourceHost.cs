using System.Net;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.PackageTransfer.Tests;

/// <summary>A host that has a package and serves it.</summary>
internal sealed class SourceHost : IAsyncDisposable
{
    private readonly NbdServer _server = new();
    private readonly List<WatchedExport> _exports = [];

    public SourceHost(StoredPackage package, string? liar = null, string? longer = null)
    {
        foreach (var entry in package.Manifest.Entries)
        {
            var export = new WatchedExport(entry.Name, package.PathOf(entry.Name)) { Lies = entry.Name == liar, MoreBytes = entry.Name == longer ? 4096 : 0 };
            _exports.Add(export);
            _server.AddExport(export);
        }

        EndPoint = _server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public EndPoint EndPoint { get; }

    public IReadOnlyDictionary<string, string> Names => _exports.ToDictionary(export => export.Name, export => export.Name);

    public long BytesRead => _exports.Sum(export => export.BytesRead);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        foreach (var export in _exports)
            export.Dispose();
    }
}
