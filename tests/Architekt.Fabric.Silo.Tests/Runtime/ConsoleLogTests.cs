using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Silo.Tests.Runtime;

public sealed class ConsoleLogTests : IDisposable
{
    private readonly TestHost _host = new();

    private string LogPath => _host["console.log"];

    [Theory]
    [InlineData(0, "0123456789", 10)]
    [InlineData(4, "456789", 10)]
    [InlineData(10, "", 10)]
    [InlineData(-3, "789", 10)]
    [InlineData(-99, "0123456789", 10)]
    [InlineData(99, "", 10)]
    public async Task Read_AtAnOffset_GivesTheRestAndWhereToGoOn(long offset, string expected, long next)
    {
        await WriteAsync("0123456789");

        var log = await ReadAsync(offset);

        Assert.Equal((expected, next, 7), (Encoding.ASCII.GetString(log.Data), log.NextOffset, log.Epoch));
    }

    [Fact]
    public async Task Read_LongLog_GivesAPieceAtATime()
    {
        await WriteAsync(new string('x', 100_000));

        var first = await ReadAsync(0);
        var second = await ReadAsync(first.NextOffset);

        Assert.Equal((65536, 65536), (first.Data.Length, first.NextOffset));
        Assert.Equal((34464, 100_000), (second.Data.Length, second.NextOffset));
    }

    [Fact]
    public async Task Read_Waiting_AnswersWhenSomethingComes()
    {
        await WriteAsync("old");
        var reading = ReadAsync(3, waitMs: 60_000);
        Assert.False(reading.IsCompleted);

        await File.AppendAllTextAsync(LogPath, "new", TestContext.Current.CancellationToken);

        Assert.Equal("new", Encoding.ASCII.GetString((await reading.WaitAsync(Deadline.After(20))).Data));
    }

    [Fact]
    public async Task Read_WaitingInVain_AnswersNothing()
    {
        await WriteAsync("old");

        var log = await ReadAsync(3, waitMs: 100);

        Assert.Equal((0, 3), (log.Data.Length, log.NextOffset));
    }

    [Fact]
    public async Task Read_NoLog_IsNotFound()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => ReadAsync(0));

        Assert.Equal((FabricErrorCode.NotFound, "There is no console log for epoch 7 on this host."), (error.Code, error.Message));
    }

    [Fact]
    public async Task Write_NoOneListens_IsUnavailable()
    {
        var error = await Assert.ThrowsAsync<FabricException>(
            () => ConsoleLog.WriteAsync(_host["console.sock"], [1], TimeProvider.System, TestContext.Current.CancellationToken));

        Assert.True(error.IsTransient);
    }

    /// <summary>As QEMU reads: no more than the guest's port takes, and nothing more once the other end has gone altogether.</summary>
    [Fact]
    public async Task Write_TakenInPieces_EndsWhenAllIsTaken()
    {
        using var listener = Listen();
        var writing = ConsoleLog.WriteAsync(_host["console.sock"], "0123456789"u8.ToArray(), TimeProvider.System, TestContext.Current.CancellationToken);
        using var console = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await console.SendAsync("echo"u8.ToArray(), TestContext.Current.CancellationToken);
        var taken = new byte[11];
        var count = 0;
        while (await console.ReceiveAsync(taken.AsMemory(count, Math.Min(3, taken.Length - count)), TestContext.Current.CancellationToken) is > 0 and var more)
        {
            count += more;
            Assert.False(writing.IsCompleted);
        }

        Assert.Equal("0123456789", Encoding.ASCII.GetString(taken, 0, count));
        Assert.False(writing.IsCompleted);
        console.Close();
        await writing.WaitAsync(Deadline.After(20));
    }

    [Fact]
    public async Task Write_GuestDoesNotRead_IsUnavailable()
    {
        using var listener = Listen();
        var time = new FakeTimeProvider();
        var writing = ConsoleLog.WriteAsync(_host["console.sock"], [1], time, TestContext.Current.CancellationToken);
        using var console = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.False(writing.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(11));

        var error = await Assert.ThrowsAsync<FabricException>(() => writing.WaitAsync(Deadline.After(20)));
        Assert.True(error.IsTransient);
        Assert.Contains("has not read its console for 10 s", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _host.Dispose();

    private Socket Listen()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_host["console.sock"]));
        listener.Listen();
        return listener;
    }

    private Task WriteAsync(string text) => File.WriteAllTextAsync(LogPath, text, TestContext.Current.CancellationToken);

    private Task<VmLog> ReadAsync(long offset, int waitMs = 0) =>
        ConsoleLog.ReadAsync(LogPath, 7, offset, waitMs, TimeProvider.System, TestContext.Current.CancellationToken);
}
