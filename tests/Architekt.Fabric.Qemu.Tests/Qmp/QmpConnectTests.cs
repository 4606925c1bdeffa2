namespace Architekt.Fabric.Qemu.Tests.Qmp;

public sealed class QmpConnectTests
{
    [Fact]
    public async Task Connect_Greeting_NegotiatesAndReadsVersion()
    {
        var (server, client) = await QmpServerMock.ConnectedAsync();
        await using (server)
        await using (client)
        {
            Assert.Equal(new Version(7, 2, 22), client.QemuVersion);
        }
    }

    [Fact]
    public async Task Connect_SocketNotThereYet_WaitsForIt()
    {
        await using var server = new QmpServerMock(listen: false);
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, Deadline.After(20));
        Assert.False(connecting.IsCompleted);
        server.Listen();
        await server.GreetAsync();
        await using var client = await connecting;
        Assert.False(client.Completion.IsCompleted);
    }

    [Fact]
    public async Task Connect_NoGreeting_WaitsUntilCancelled()
    {
        await using var server = new QmpServerMock();
        using var cancel = new CancellationTokenSource();
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, cancel.Token);
        await server.AcceptAsync();
        Assert.False(connecting.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Deadline.After(20)));
    }

    [Fact]
    public async Task Connect_ClosedBeforeGreeting_SaysSo()
    {
        await using var server = new QmpServerMock();
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, Deadline.After(20));
        await server.AcceptAsync();
        server.Cut();
        var exception = await Assert.ThrowsAsync<QmpConnectionException>(() => connecting);
        Assert.Contains("before greeting", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"hello\": 1}", "did not greet")]
    [InlineData("SSH-2.0-OpenSSH_9.2", "not QMP")]
    public async Task Connect_SomethingElseThanQmp_SaysSo(string line, string expected)
    {
        await using var server = new QmpServerMock();
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, Deadline.After(20));
        await server.AcceptAsync();
        await server.SendLineAsync(line);
        var exception = await Assert.ThrowsAsync<QmpConnectionException>(() => connecting);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_CapabilitiesRefused_IsQmpException()
    {
        await using var server = new QmpServerMock();
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, Deadline.After(20));
        await server.AcceptAsync();
        await server.SendLineAsync(QmpServerMock.Greeting);
        var id = QmpServerMock.IdOf(await server.ReadCommandAsync("qmp_capabilities"));
        await server.SendLineAsync($$"""{"error": {"class": "GenericError", "desc": "no"}, "id": {{id}}}""");
        Assert.Equal("qmp_capabilities", (await Assert.ThrowsAsync<QmpException>(() => connecting)).Command);
    }

    [Fact]
    public async Task Connect_PathTooLongForAUnixSocket_IsRefusedWithItsLength()
    {
        var path = "/tmp/" + new string('x', 120);
        var exception = await Assert.ThrowsAsync<ArgumentException>(
            () => QmpClient.ConnectAsync(path, TimeProvider.System, TestContext.Current.CancellationToken));
        Assert.Contains("125 bytes", exception.Message, StringComparison.Ordinal);
    }
}
