using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The two ends of a TCP connection.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket near, Socket far) => (Near, Far) = (near, far);

    public Socket Near { get; }

    public Socket Far { get; }

    public static async Task<SocketPair> CreateAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        return new SocketPair(near, await listener.AcceptAsync(TestContext.Current.CancellationToken));
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
