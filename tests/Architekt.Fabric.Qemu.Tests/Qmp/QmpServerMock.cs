using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Architekt.Fabric.Qemu.Tests.Qmp;

/// <summary>A QMP peer that says exactly what a test tells it to.</summary>
internal sealed class QmpServerMock : IAsyncDisposable
{
    public const string Greeting =
        """{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}""";

    private readonly TestFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private NetworkStream? _stream;
    private StreamReader? _reader;

    public QmpServerMock(bool listen = true)
    {
        if (listen) Listen();
    }

    public string SocketPath => _folder["qmp"];

    public void Listen()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen(1);
    }

    public static async Task<(QmpServerMock Server, QmpClient Client)> ConnectedAsync()
    {
        var server = new QmpServerMock();
        var connecting = QmpClient.ConnectAsync(server.SocketPath, TimeProvider.System, Deadline.After(20));
        await server.GreetAsync();
        return (server, await connecting);
    }

    public async Task AcceptAsync()
    {
        _stream = new NetworkStream(await _listener.AcceptAsync(Deadline.After(20)), ownsSocket: true);
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    public async Task GreetAsync()
    {
        await AcceptAsync();
        await SendLineAsync(Greeting);
        var command = await ReadCommandAsync("qmp_capabilities");
        await ReturnAsync(command);
    }

    public async Task<JsonElement> ReadCommandAsync(string expected)
    {
        var line = await _reader!.ReadLineAsync(Deadline.After(20));
        Assert.NotNull(line);
        using var document = JsonDocument.Parse(line);
        Assert.Equal(expected, document.RootElement.GetProperty("execute").GetString());
        return document.RootElement.Clone();
    }

    public static long IdOf(JsonElement command) => command.GetProperty("id").GetInt64();

    public Task ReturnAsync(JsonElement command, string result = "{}") => SendLineAsync($$"""{"return": {{result}}, "id": {{IdOf(command)}}}""");

    public Task SendLineAsync(string line) => SendAsync(line + "\r\n");

    public async Task SendAsync(string text)
    {
        await _stream!.WriteAsync(Encoding.UTF8.GetBytes(text), Deadline.After(20));
        await _stream.FlushAsync(Deadline.After(20));
    }

    public void Cut() => _stream!.Dispose();

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null) await _stream.DisposeAsync();
        _reader?.Dispose();
        _listener.Dispose();
        _folder.Dispose();
    }
}
