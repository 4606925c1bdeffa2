using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Nbd;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Runtime;

/// <summary>
/// Disks of stopped VMs that are on offer while they move, read-only and each under a name nobody can guess. A running VM's disk is its peer's affair: this is the
/// one place where a guest's bytes pass through the silo, because a stopped VM has no peer.
/// </summary>
internal sealed class DiskExports(IOptions<FabricOptions> options, ILogger<DiskExports> logger) : IAsyncDisposable
{
    private const int NameBytes = 16;
    private readonly ConcurrentDictionary<string, FileExport> _exports = new();
    private readonly Lock _lock = new();
    private NbdServer? _server;
    private int _port;

    public DiskOffer Offer(string operation, string path)
    {
        var (server, port) = Listen();
        var export = _exports.GetOrAdd(operation, _ =>
        {
            var added = FileExport.Open(
                RandomNumberGenerator.GetHexString(NameBytes * 2, lowercase: true), path, new FileExportOptions { IsReadOnly = true, IsListed = false });
            server.AddExport(added);
            return added;
        });
        return new DiskOffer(options.Value.AdvertisedAddress, port, export.Name);
    }

    public async Task WithdrawAsync(string operation)
    {
        if (!_exports.TryRemove(operation, out var export)) return;
        if (_server is { } server) await server.RemoveExportAsync(export.Name);
        export.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is { } server) await server.DisposeAsync();
        foreach (var export in _exports.Values) export.Dispose();
    }

    /// <summary>Opened when it is needed first: a host whose stopped VMs stay has no open port for them.</summary>
    private (NbdServer Server, int Port) Listen()
    {
        lock (_lock)
        {
            if (_server is not null) return (_server, _port);
            _server = new NbdServer(new NbdServerOptions { Logger = logger });
            _port = ((IPEndPoint)_server.Listen(new IPEndPoint(IPAddress.Parse(options.Value.AdvertisedAddress), 0))).Port;
            return (_server, _port);
        }
    }
}
