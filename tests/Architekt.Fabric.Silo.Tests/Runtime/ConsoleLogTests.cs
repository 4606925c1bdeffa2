using System.Text;
using Architekt.Fabric.Silo.Runtime;
using Architekt.Fabric.Silo.Tests.Support;

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
            () => ConsoleLog.WriteAsync(_host["console.sock"], [1], TestContext.Current.CancellationToken));

        Assert.True(error.IsTransient);
    }

    public void Dispose() => _host.Dispose();

    private Task WriteAsync(string text) => File.WriteAllTextAsync(LogPath, text, TestContext.Current.CancellationToken);

    private Task<VmLog> ReadAsync(long offset, int waitMs = 0) =>
        ConsoleLog.ReadAsync(LogPath, 7, offset, waitMs, TimeProvider.System, TestContext.Current.CancellationToken);
}
