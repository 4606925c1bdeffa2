using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Nbd.Tests;

public sealed class NbdServerTests
{
    [Fact]
    public async Task Listen_SeveralEndPoints_AllServe()
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        var v4 = (IPEndPoint)server.Server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var v6 = (IPEndPoint)server.Server.Listen(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        Assert.NotEqual(0, v4.Port);
        foreach (var endPoint in new[] { server.EndPoint, v4, v6, new DnsEndPoint("localhost", v4.Port) })
        {
            await using var client = await NbdClient.ConnectAsync(endPoint, "d", null, TestContext.Current.CancellationToken);
            Assert.Equal(4096, client.Size);
        }
    }

    [Fact]
    public async Task Dispose_UnixSocket_IsUnlinkedAndConnectionsEnd()
    {
        var folder = Directory.CreateTempSubdirectory("nbd-test-").FullName;
        try
        {
            var server = new NbdServer();
            server.AddExport(new TestExport("d", 4096));
            var path = Path.Combine(folder, "s");
            var endPoint = server.Listen(new UnixDomainSocketEndPoint(path));
            Assert.True(File.Exists(path));
            using var client = new RawClient(endPoint);
            client.Open("d", structured: false);
            await server.DisposeAsync();
            Assert.False(File.Exists(path));
            Assert.Empty(client.ReceiveToEnd());
            Assert.Equal(0, server.ConnectionCount);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Dispose_RequestInWork_IsCancelledAndWaitedFor()
    {
        var export = new TestExport("d", 4096)
        {
            Before = async token =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return NbdError.None;
            },
        };
        var server = new TestServer(export);
        using var client = new RawClient(server.EndPoint);
        client.Open("d", structured: false);
        client.Request(0, 1, 0, 1);
        await Until.TrueAsync(() => export.InWork == 1, "the read is in work");
        await server.DisposeAsync();
        Assert.Equal(0, export.InWork);
    }

    [Fact]
    public async Task Listen_AbandonedSocketFile_IsReplaced()
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        var path = Path.Combine(server.Folder, "old");

        // A copy of a bound socket file that outlives its socket, as a killed process leaves it.
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path + "-live"));
            File.Move(path + "-live", path);
        }

        Assert.True(File.Exists(path));
        await using var client = await NbdClient.ConnectAsync(server.Server.Listen(new UnixDomainSocketEndPoint(path)), "d", null, TestContext.Current.CancellationToken);
        Assert.Equal(4096, client.Size);
    }

    [Fact]
    public async Task Listen_SocketInUse_ThrowsAndLeavesItAlone()
    {
        await using var server = new TestServer(new TestExport("d", 4096));
        await using var other = new NbdServer();
        Assert.Throws<IOException>(() => other.Listen(server.EndPoint));
        await using var client = await server.ConnectAsync("d");
        Assert.True(client.IsOpen);
    }

    [Fact]
    public async Task HandshakeTimeout_SilentClient_IsDropped()
    {
        var time = new FakeTimeProvider();
        await using var server = new TestServer(new NbdServerOptions { TimeProvider = time, HandshakeTimeout = TimeSpan.FromSeconds(30) }, new TestExport("d", 1));
        using var client = new RawClient(server.EndPoint);
        client.Receive(18);
        Assert.Equal(1, server.Server.ConnectionCount);
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Empty(client.ReceiveToEnd());
        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "the connection is gone");
    }

    [Fact]
    public async Task MaxConnections_OneTooMany_IsClosedAndOthersLive()
    {
        await using var server = new TestServer(new NbdServerOptions { MaxConnections = 1 }, new TestExport("d", 1));
        using (var first = new RawClient(server.EndPoint))
        {
            first.Open("d", structured: false);
            using var second = new RawClient(server.EndPoint);
            Assert.Empty(second.ReceiveToEnd());
            first.Request(0, 1, 0, 1);
            Assert.Equal(0u, first.Reply(1).Error);
        }

        await Until.TrueAsync(() => server.Server.ConnectionCount == 0, "the first is gone");
        await using var third = await server.ConnectAsync("d");
        Assert.True(third.IsOpen);
    }

    [Fact]
    public async Task ServeAsync_Stream_ServesAndEnds()
    {
        var export = new TestExport("d", 8192);
        Random.Shared.NextBytes(export.Data);
        await using var server = new TestServer(export);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var connecting = NbdClient.ConnectAsync(listener.LocalEndPoint!, "d", null, TestContext.Current.CancellationToken);
        var accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        var serving = server.Server.ServeAsync(new NetworkStream(accepted, ownsSocket: true), TestContext.Current.CancellationToken);
        await using (var client = await connecting)
        {
            var read = new byte[8192];
            await client.ReadAsync(0, read, TestContext.Current.CancellationToken);
            Assert.Equal(export.Data, read);
        }

        await serving;
    }

    [Fact]
    public async Task ServeAsync_Cancelled_EndsTheConnection()
    {
        await using var server = new TestServer(new TestExport("d", 8192));
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new RawClient(listener.LocalEndPoint!);
        using var cancel = new CancellationTokenSource();
        var serving = server.Server.ServeAsync(await listener.AcceptAsync(TestContext.Current.CancellationToken), cancel.Token);
        client.Open("d", structured: false);
        await cancel.CancelAsync();
        await serving;
        Assert.Empty(client.ReceiveToEnd());
    }
}
