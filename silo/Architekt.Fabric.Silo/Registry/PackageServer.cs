using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Nbd;

namespace Architekt.Fabric.Silo.Registry;

/// <summary>The host's NBD server for packages.</summary>
internal sealed class PackageServer : IAsyncDisposable
{
    private PackageServer(NbdServer server, int port) => (Server, Port) = (server, port);

    public NbdServer Server { get; }

    /// <summary>The TCP port it listens on at the host's advertised address.</summary>
    public int Port { get; }

    public static PackageServer Start(FabricOptions options, ILogger logger)
    {
        var server = new NbdServer(new NbdServerOptions { Logger = logger });
        var address = IPAddress.Parse(options.AdvertisedAddress);
        try
        {
            return new PackageServer(server, ((IPEndPoint)server.Listen(new IPEndPoint(address, options.PackagePort))).Port);
        }
        catch (Exception error) when (error is SocketException or IOException)
        {
            throw new FabricException(
                FabricErrorCode.Failed,
                $"Packages cannot be served at {address}:{options.PackagePort}: {error.Message}. Set Fabric:PackagePort to a free port, or to 0 for any.",
                innerException: error);
        }
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
