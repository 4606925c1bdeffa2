using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd.Tests;

/// <summary>A server on a unix socket in a folder of its own; everything goes with it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public TestServer(params INbdExport[] exports)
        : this(new NbdServerOptions(), exports)
    {
    }

    public TestServer(NbdServerOptions options, params INbdExport[] exports)
    {
        Folder = Directory.CreateTempSubdirectory("nbd-test-").FullName;
        Server = new NbdServer(options);
        foreach (var export in exports)
            Server.AddExport(export);
        EndPoint = Server.Listen(new UnixDomainSocketEndPoint(Path.Combine(Folder, "s")));
    }

    public string Folder { get; }

    public NbdServer Server { get; }

    public EndPoint EndPoint { get; }

    public string Uri(string export = "") => new NbdUri(EndPoint, export).ToString();

    public Task<NbdClient> ConnectAsync(string export = "", NbdClientOptions? options = null) =>
        NbdClient.ConnectAsync(EndPoint, export, options, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
