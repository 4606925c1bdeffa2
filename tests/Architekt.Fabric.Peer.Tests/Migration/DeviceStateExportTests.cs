using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Migration;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class DeviceStateExportTests
{
    private const long Late = DeviceStateExport.LateOffset;
    private readonly TaskCompletionSource<bool> _answer = new();
    private readonly Loader _loader;
    private readonly DeviceStateExport _export;

    public DeviceStateExportTests()
    {
        _loader = new Loader(_answer.Task);
        _export = new DeviceStateExport("state", _loader);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flush_NothingWritten_LoadsNothing()
    {
        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));

        Assert.Empty(_loader.Loaded);
    }

    [Theory]
    [InlineData(true, NbdError.None)]
    [InlineData(false, NbdError.InputOutput)]
    public async Task Flush_Written_IsAnsweredOnceItIsLoaded(bool isLoaded, NbdError expected)
    {
        await WriteAsync(Late, 1, 2, 3);

        var flushing = _export.FlushAsync(Cancellation);
        Assert.False(flushing.IsCompleted);
        _answer.SetResult(isLoaded);

        Assert.Equal(expected, await flushing);
        Assert.Equal([1, 2, 3], Assert.Single(_loader.Loaded));
    }

    [Fact]
    public async Task Flush_Again_GetsTheFirstAnswerAndLoadsNoSecondTime()
    {
        await WriteAsync(Late, 1);
        _answer.SetResult(true);

        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));
        Assert.Equal(NbdError.None, await _export.FlushAsync(Cancellation));

        Assert.Single(_loader.Loaded);
    }

    [Fact]
    public async Task Write_FirstHalf_IsFedAtOnceAndInOrder()
    {
        await WriteAsync(0, 1, 2);
        await WriteAsync(2, 3);

        Assert.Equal([1, 2, 3], _loader.Fed);
        Assert.Empty(_loader.Loaded);
    }

    [Fact]
    public async Task Write_SecondHalf_IsKeptForTheHandOver()
    {
        var tail = Enumerable.Repeat((byte)7, 3 << 20).ToArray();
        await WriteAsync(0, 1);
        await WriteAsync(Late, 5, 6);
        await WriteAsync(Late + 2, tail);
        Assert.Equal([1], _loader.Fed);
        _answer.SetResult(true);

        await _export.FlushAsync(Cancellation);

        Assert.Equal([1], _loader.Fed);
        Assert.Equal([5, 6, .. tail], Assert.Single(_loader.Loaded));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(Late - 1)]
    [InlineData(Late + 1)]
    public async Task Write_LeavingAGap_IsRefusedAndNotFed(long offset)
    {
        Assert.Equal(NbdError.Invalid, await _export.WriteAsync(offset, new byte[] { 1, 2 }, Cancellation));

        Assert.Empty(_loader.Fed);
    }

    [Fact]
    public async Task Write_QemuDoesNotTakeIt_Fails()
    {
        _loader.Refuses = true;

        Assert.Equal(NbdError.InputOutput, await _export.WriteAsync(0, new byte[] { 1 }, Cancellation));
    }

    [Fact]
    public async Task Write_AfterTheHandOver_IsRefused()
    {
        await WriteAsync(Late, 1);
        var flushing = _export.FlushAsync(Cancellation);

        Assert.Equal(NbdError.NotPermitted, await _export.WriteAsync(Late + 1, new byte[] { 9 }, Cancellation));
        Assert.Equal([1], Assert.Single(_loader.Loaded));
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

    private sealed class Loader(Task<bool> answer) : IDeviceStateLoader
    {
        public List<byte> Fed { get; } = [];

        public List<byte[]> Loaded { get; } = [];

        public bool Refuses { get; set; }

        public Task<bool> FeedAsync(ReadOnlyMemory<byte> state, CancellationToken cancellationToken)
        {
            Fed.AddRange(state.Span);
            return Task.FromResult(!Refuses);
        }

        public Task<bool> LoadAsync(ReadOnlyMemory<byte> rest)
        {
            Loaded.Add(rest.ToArray());
            return answer;
        }
    }
}
