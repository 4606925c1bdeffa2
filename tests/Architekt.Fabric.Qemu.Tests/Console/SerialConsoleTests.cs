using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Qemu.Tests.Console;

public sealed class SerialConsoleTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Pipe _typed = new();
    private readonly MemoryStream _printed = new();

    public SerialConsoleTests()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_folder["console"]));
        _listener.Listen(1);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Attach_BothWays_UntilTheConsoleCloses()
    {
        var attached = AttachAsync(SerialConsole.EscapeKey, Deadline.After(20));
        using var guest = await _listener.AcceptAsync(Deadline.After(20));
        await TypeAsync("ls\r");
        Assert.Equal("ls\r", await ReceiveAsync(guest, 3));
        await guest.SendAsync("bin  dev\r\n"u8.ToArray(), Deadline.After(20));
        guest.Shutdown(SocketShutdown.Both);
        Assert.Equal(ConsoleDetachReason.ConsoleClosed, await attached);
        Assert.Equal("bin  dev\r\n", Encoding.UTF8.GetString(_printed.ToArray()));
    }

    [Fact]
    public async Task Attach_EscapeTyped_PassesOnWhatCameBeforeAndDetaches()
    {
        var attached = AttachAsync(SerialConsole.EscapeKey, Deadline.After(20));
        using var guest = await _listener.AcceptAsync(Deadline.After(20));
        await TypeAsync("bye\u001dlost");
        Assert.Equal(ConsoleDetachReason.Escaped, await attached);
        Assert.Equal("bye", await ReceiveAsync(guest, 100));
    }

    [Fact]
    public async Task Attach_NoEscape_PassesEverythingOn()
    {
        using var cancel = new CancellationTokenSource();
        var attached = AttachAsync(null, cancel.Token);
        using var guest = await _listener.AcceptAsync(Deadline.After(20));
        await TypeAsync("a\u001db");
        Assert.Equal("a\u001db", await ReceiveAsync(guest, 3));
        await cancel.CancelAsync();
        Assert.Equal(ConsoleDetachReason.Cancelled, await attached);
    }

    [Fact]
    public async Task Attach_InputEnds_StillPrints()
    {
        var attached = AttachAsync(null, Deadline.After(20));
        using var guest = await _listener.AcceptAsync(Deadline.After(20));
        await _typed.Writer.CompleteAsync();
        await guest.SendAsync("later"u8.ToArray(), Deadline.After(20));
        guest.Shutdown(SocketShutdown.Both);
        Assert.Equal(ConsoleDetachReason.ConsoleClosed, await attached);
        Assert.Equal("later", Encoding.UTF8.GetString(_printed.ToArray()));
    }

    [Fact]
    public async Task Attach_NobodyListens_SaysSo()
    {
        var exception = await Assert.ThrowsAsync<IOException>(
            () => SerialConsole.AttachAsync(_folder["none"], Stream.Null, Stream.Null, null, Deadline.After(20)));
        Assert.Contains("does the VM run?", exception.Message, StringComparison.Ordinal);
    }

    private Task<ConsoleDetachReason> AttachAsync(byte? escape, CancellationToken cancellationToken) =>
        SerialConsole.AttachAsync(_folder["console"], _typed.Reader.AsStream(), _printed, escape, cancellationToken);

    private async Task TypeAsync(string text) => await _typed.Writer.WriteAsync(Encoding.UTF8.GetBytes(text), Deadline.After(20));

    /// <summary>Up to <paramref name="count"/> bytes, fewer if the other end closes first.</summary>
    private static async Task<string> ReceiveAsync(Socket socket, int count)
    {
        await using var stream = new NetworkStream(socket);
        var buffer = new byte[count];
        var read = await stream.ReadAtLeastAsync(buffer, count, throwOnEndOfStream: false, Deadline.After(20));
        return Encoding.UTF8.GetString(buffer, 0, read);
    }
}
