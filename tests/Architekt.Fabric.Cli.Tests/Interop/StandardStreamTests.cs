using Architekt.Fabric.Cli.Interop;

namespace Architekt.Fabric.Cli.Tests.Interop;

/// <summary>Standard streams that somebody else has made non-blocking: what cannot be had at once is waited for, in poll(2) and not in a loop.</summary>
public sealed class StandardStreamTests : IDisposable
{
    private const int Rest = 100_000;

    /// <summary>The number of poll(2) among the system calls of x86-64, where glibc's poll is that one.</summary>
    private const string Poll = "7 ";

    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    private readonly NonBlockingPipe _pipe = new();

    public void Dispose() => _pipe.Dispose();

    [Fact]
    public async Task Write_PipeIsFull_WaitsForTheReaderAndLosesNothing()
    {
        var capacity = _pipe.Capacity;
        var data = new byte[capacity + Rest];
        Random.Shared.NextBytes(data);
        var stream = new StandardStream(_pipe.OpenWriter(), canWrite: true);
        stream.Write(data.AsSpan(0, capacity));

        var writing = WaitingThread.Start(() => stream.Write(data.AsSpan(capacity)));
        await writing.WaitsAsync(Poll, _long);
        var read = new byte[data.Length];
        await _pipe.Reader.ReadExactlyAsync(read, TestContext.Current.CancellationToken);
        await writing.Ended.WaitAsync(_long, TestContext.Current.CancellationToken);

        Assert.Equal(data, read);
    }

    [Fact]
    public async Task Write_ReaderLeavesWhileItIsWaitedFor_Throws()
    {
        var stream = new StandardStream(_pipe.OpenWriter(), canWrite: true);
        stream.Write(new byte[_pipe.Capacity]);

        var writing = WaitingThread.Start(() => stream.Write([1]));
        await writing.WaitsAsync(Poll, _long);
        _pipe.Reader.Dispose();

        await Assert.ThrowsAsync<IOException>(() => writing.Ended.WaitAsync(_long, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Read_NothingIsThereYet_WaitsForIt()
    {
        var stream = new StandardStream(_pipe.OpenReader(), canWrite: false);
        var buffer = new byte[10];
        var read = 0;

        var reading = WaitingThread.Start(() => read = stream.Read(buffer));
        await reading.WaitsAsync(Poll, _long);
        _pipe.Writer.Write([1, 2, 3]);
        await reading.Ended.WaitAsync(_long, TestContext.Current.CancellationToken);

        Assert.Equal([1, 2, 3], buffer[..read]);
    }

    [Fact]
    public async Task Read_WriterLeavesWhileItIsWaitedFor_IsTheEnd()
    {
        var stream = new StandardStream(_pipe.OpenReader(), canWrite: false);
        var read = -1;

        var reading = WaitingThread.Start(() => read = stream.Read(new byte[10]));
        await reading.WaitsAsync(Poll, _long);
        _pipe.Writer.Dispose();
        await reading.Ended.WaitAsync(_long, TestContext.Current.CancellationToken);

        Assert.Equal(0, read);
    }
}
