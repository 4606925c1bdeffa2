using System.Net;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Peer.Migration;
using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests.Migration;

/// <summary>What is pushed, judged by a plain NBD export of memory.</summary>
public sealed class MemoryPusherTests : IAsyncLifetime
{
    private const int Length = 8 << 20;
    private const int Page = GuestMemory.PageSize;
    private readonly TestHost _host = new();
    private readonly NbdServer _server = new();
    private readonly byte[] _far = new byte[Length];
    private readonly List<(long Offset, long Length)> _written = [];
    private GuestMemory _memory = null!;
    private NbdMultiConnection _client = null!;

    public async ValueTask InitializeAsync()
    {
        _memory = GuestMemory.Create(Path.Combine(_host.Path, "ram"), Length);
        _server.AddExport(new MemoryExport("memory", _far, new MemoryExportOptions { Written = Note }));
        var endPoint = _server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _client = await NbdMultiConnection.ConnectAsync(endPoint, "memory", 2, cancellationToken: TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Push_PagesAndZeros_SendsExactlyTheRanges()
    {
        Array.Fill(_far, (byte)0xEE);
        Fill(0, 3 * Page);
        Fill(5 * Page, Page);
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);

        var pushed = await pusher.PushAsync(
            [new PageRange(Page, 2 * Page), new PageRange(4 * Page, 3 * Page)], destinationIsZero: false, 0, TestContext.Current.CancellationToken);

        Assert.Equal(new PushedBytes(3 * Page, 2 * Page), pushed);
        var expected = new byte[Length];
        Array.Fill(expected, (byte)0xEE);
        _memory.GetSpan(Page, 2 * Page).CopyTo(expected.AsSpan(Page));
        _memory.GetSpan(4 * Page, 3 * Page).CopyTo(expected.AsSpan(4 * Page));
        Assert.True(expected.AsSpan().SequenceEqual(_far));
    }

    [Fact]
    public async Task Push_DestinationIsZero_SendsNoZeros()
    {
        Fill(2 * Page, Page);
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);

        var pushed = await pusher.PushAsync([new PageRange(0, Length)], destinationIsZero: true, 0, TestContext.Current.CancellationToken);

        Assert.Equal(new PushedBytes(Page, Length - Page), pushed);
        Assert.Equal([(2 * Page, Page)], _written);
    }

    [Fact]
    public async Task Push_EverythingOfABusyMemory_ArrivesWhole()
    {
        Fill(0, Length);
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);

        var pushed = await pusher.PushAsync([new PageRange(0, Length)], destinationIsZero: false, 0, TestContext.Current.CancellationToken);

        Assert.Equal(Length, pushed.Data);
        Assert.True(_memory.GetSpan(0, Length).SequenceEqual(_far));
    }

    [Fact]
    public async Task Push_WithALimit_TakesItsTime()
    {
        Fill(0, Length);
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();

        await pusher.PushAsync([new PageRange(0, Length)], destinationIsZero: false, 4 * Length, TestContext.Current.CancellationToken);

        Assert.True(TimeProvider.System.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(240));
    }

    [Fact]
    public async Task Push_ServerGoes_FailsAsALostConnection()
    {
        Fill(0, Length);
        await _server.DisposeAsync();
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);

        await Assert.ThrowsAsync<NbdConnectionException>(
            () => pusher.PushAsync([new PageRange(0, Length)], destinationIsZero: false, 0, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Push_Cancelled_SendsNothingMore()
    {
        Fill(0, Length);
        var pusher = new MemoryPusher(_memory, _client, TimeProvider.System);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => pusher.PushAsync([new PageRange(0, Length)], destinationIsZero: false, 0, new CancellationToken(canceled: true)));

        Assert.Empty(_written);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        _memory.Dispose();
        _host.Dispose();
    }

    /// <summary>No page of it is zero.</summary>
    private void Fill(int offset, int length) => new Random(offset).NextBytes(_memory.GetSpan(offset, length));

    private void Note(long offset, long length)
    {
        lock (_written) _written.Add((offset, length));
    }
}
