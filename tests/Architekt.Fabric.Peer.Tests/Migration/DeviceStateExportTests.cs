using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Migration;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class DeviceStateExportTests
{
    private readonly TaskCompletionSource<bool> _answer = new();
    private readonly List<byte[]> _loaded = [];
    private readonly DeviceStateExport _export;

    public DeviceStateExportTests() => _export = new DeviceStateExport("state", state =>
    {
        _loaded.Add(state.ToArray());
        return _answer.Task;
    });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flush_NothingWritten_LoadsNothing()
    {
        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));

        Assert.Empty(_loaded);
    }

    [Theory]
    [InlineData(true, NbdError.None)]
    [InlineData(false, NbdError.InputOutput)]
    public async Task Flush_Written_IsAnsweredOnceItIsLoaded(bool isLoaded, NbdError expected)
    {
        await WriteAsync(0, 1, 2, 3);

        var flushing = _export.FlushAsync(Cancellation);
        Assert.False(flushing.IsCompleted);
        _answer.SetResult(isLoaded);

        Assert.Equal(expected, await flushing);
        Assert.Equal([1, 2, 3], Assert.Single(_loaded));
    }

    [Fact]
    public async Task Flush_Again_GetsTheFirstAnswerAndLoadsNoSecondTime()
    {
        await WriteAsync(0, 1);
        _answer.SetResult(true);

        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));
        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));

        Assert.Single(_loaded);
    }

    [Fact]
    public async Task Write_OutOfOrderAndBeyondTheFirstBuffer_IsPutTogether()
    {
        var tail = Enumerable.Repeat((byte)7, 3 << 20).ToArray();
        await WriteAsync(2, tail);
        await WriteAsync(0, 5, 6);
        _answer.SetResult(true);

        await _export.FlushAsync(Cancellation);

        Assert.Equal([5, 6, .. tail], Assert.Single(_loaded));
    }

    [Fact]
    public async Task Write_AfterTheHandOver_IsRefused()
    {
        await WriteAsync(0, 1);
        var flushing = _export.FlushAsync(Cancellation);

        Assert.Equal(NbdError.NotPermitted, await _export.WriteAsync(0, new byte[] { 9 }, Cancellation));
        Assert.Equal([1], Assert.Single(_loaded));
        _answer.SetResult(true);
        Assert.Equal(NbdError.None, await flushing);
    }

    [Fact]
    public async Task Read_Always_IsRefused() =>
        Assert.Equal(NbdError.NotPermitted, await _export.ReadAsync(0, new byte[1], Cancellation));

    [Fact]
    public void Listing_Always_DoesNotShowIt() => Assert.False(_export.IsListed);

    private async Task WriteAsync(long offset, params byte[] bytes) =>
        Assert.Equal(NbdError.None, await _export.WriteAsync(offset, bytes, Cancellation));
}
