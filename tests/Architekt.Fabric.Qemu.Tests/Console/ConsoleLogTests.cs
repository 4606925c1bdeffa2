using System.Text;

namespace Architekt.Fabric.Qemu.Tests.Console;

public sealed class ConsoleLogTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Log => _folder["console.log"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a\nb\nc\n", 2, "b\nc\n")]
    [InlineData("a\nb\nc", 2, "b\nc")]
    [InlineData("a\nb\n", 5, "a\nb\n")]
    [InlineData("a\n\n\n", 2, "\n\n")]
    [InlineData("a\nb\n", 0, "")]
    [InlineData("", 3, "")]
    [InlineData("\n", 1, "\n")]
    public async Task ReadTail_LastLines_AreExact(string content, int lines, string expected)
    {
        await File.WriteAllTextAsync(Log, content, TestContext.Current.CancellationToken);
        Assert.Equal(expected, Encoding.UTF8.GetString(await ConsoleLog.ReadTailAsync(Log, lines, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task ReadTail_LinesLongerThanABlock_AreWhole()
    {
        var (first, second) = (new string('a', 40_000), new string('b', 50_000));
        await File.WriteAllTextAsync(Log, $"x\n{first}\n{second}\n", TestContext.Current.CancellationToken);
        Assert.Equal($"{first}\n{second}\n", Encoding.UTF8.GetString(await ConsoleLog.ReadTailAsync(Log, 2, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task ReadTail_NoFile_IsEmpty() => Assert.Empty(await ConsoleLog.ReadTailAsync(Log, 5, TestContext.Current.CancellationToken));

    [Fact]
    public async Task Follow_FileComesGrowsAndIsTruncated_SeesAll()
    {
        await using var pieces = ConsoleLog.FollowAsync(Log, 0, TimeProvider.System, Deadline.After(30)).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        var first = pieces.MoveNextAsync();
        Assert.False(first.IsCompleted);
        await File.AppendAllTextAsync(Log, "one long beginning", TestContext.Current.CancellationToken);
        Assert.True(await first);
        Assert.Equal("one long beginning", Encoding.UTF8.GetString(pieces.Current.Span));
        var second = pieces.MoveNextAsync();
        await File.AppendAllTextAsync(Log, "+two", TestContext.Current.CancellationToken);
        Assert.True(await second);
        Assert.Equal("+two", Encoding.UTF8.GetString(pieces.Current.Span));
        var third = pieces.MoveNextAsync();
        await File.WriteAllTextAsync(Log, "new", TestContext.Current.CancellationToken);
        Assert.True(await third);
        Assert.Equal("new", Encoding.UTF8.GetString(pieces.Current.Span));
    }
}
