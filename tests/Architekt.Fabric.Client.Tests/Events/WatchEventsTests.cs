using System.Diagnostics;
using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Events;

public sealed class WatchEventsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchEventsAsync_PastAndPresent_ComeInOrderAndOnce()
    {
        await using var silo = await TestSilo.StartNewAsync();
        for (var sequence = 1; sequence <= 1203; sequence++) silo.World.Record(Samples.Event(sequence));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var seen = new List<long>();

        await foreach (var happened in client.WatchEventsAsync(100, cancellationToken: Token))
        {
            seen.Add(happened.Sequence);
            if (happened.Sequence == 1203) silo.World.Record(Samples.Event(1204));
            if (happened.Sequence == 1204) break;
        }

        Assert.Equal(Enumerable.Range(101, 1104).Select(number => (long)number), seen);
    }

    [Fact]
    public async Task WatchEventsAsync_StreamSpeaks_LooksBeforeThePoll()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Record(Samples.Event(1));
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMinutes(10)), Token);
        await using var watch = client.WatchEventsAsync(0, cancellationToken: Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        var next = watch.MoveNextAsync().AsTask();

        // The subscription is made beside the first read: publish until it is there.
        silo.World.Record(Samples.Event(2));
        while (!next.IsCompleted)
        {
            await silo.PublishAsync(Samples.Event(2));
            await Task.WhenAny(next, Task.Delay(100, Token));
            Token.ThrowIfCancellationRequested();
        }

        Assert.True(await next);
        Assert.Equal(2, watch.Current.Sequence);
    }

    [Fact]
    public async Task WatchEventsAsync_NoStreamAtAll_Polls()
    {
        await using var silo = await TestSilo.StartNewAsync(hasStream: false);
        silo.World.Record(Samples.Event(1));
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMilliseconds(50)), Token);
        var seen = new List<long>();

        await foreach (var happened in client.WatchEventsAsync(0, cancellationToken: Token))
        {
            seen.Add(happened.Sequence);
            if (happened.Sequence == 1) silo.World.Record(Samples.Event(2));
            else break;
        }

        Assert.Equal([1, 2], seen);
    }

    [Fact]
    public async Task WatchEventsAsync_EventCommittedLate_ComesLate()
    {
        await using var silo = await TestSilo.StartNewAsync(hasStream: false);
        silo.World.Record(Samples.Event(1));
        silo.World.Record(Samples.Event(3));
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMilliseconds(50)), Token);
        var seen = new List<long>();

        await foreach (var happened in client.WatchEventsAsync(0, cancellationToken: Token))
        {
            seen.Add(happened.Sequence);
            if (happened.Sequence == 3)
            {
                silo.World.Record(Samples.Event(2));
                silo.World.Record(Samples.Event(4));
            }

            if (seen.Count == 4) break;
        }

        Assert.Equal([1, 2, 3, 4], seen.Order());
        Assert.True(seen.IndexOf(2) > seen.IndexOf(3), "2 came before it was recorded.");
    }

    [Fact]
    public async Task WatchEventsAsync_FromNow_SkipsThePast()
    {
        await using var silo = await TestSilo.StartNewAsync(hasStream: false);
        silo.World.Record(Samples.Event(1));
        silo.World.Record(Samples.Event(2));
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMilliseconds(50)), Token);
        await using var watch = client.WatchEventsAsync(cancellationToken: Token).GetAsyncEnumerator(Token);

        var next = watch.MoveNextAsync().AsTask();
        // What is recorded before the first read counts as past, so record until one comes.
        for (var sequence = 3; !next.IsCompleted; sequence++)
        {
            silo.World.Record(Samples.Event(sequence));
            await Task.WhenAny(next, Task.Delay(50, Token));
        }

        Assert.True(await next);
        Assert.True(watch.Current.Sequence > 2, $"{watch.Current.Sequence} is of the past.");
    }

    [Fact]
    public async Task WatchEventsAsync_Backlog_BeginsWithTheNewest()
    {
        await using var silo = await TestSilo.StartNewAsync(hasStream: false);
        for (var sequence = 1; sequence <= 20; sequence++) silo.World.Record(Samples.Event(sequence));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var seen = await client.WatchEventsAsync(backlog: 3, cancellationToken: Token).Take(3).ToListAsync(Token);

        Assert.Equal([18, 19, 20], seen.Select(happened => happened.Sequence));
    }

    [Fact]
    public async Task WatchEventsAsync_SiloRestarts_GoesOn()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Record(Samples.Event(1));
        await using var client = await FabricClient.ConnectAsync(
            silo.Options(options =>
            {
                options.PollInterval = TimeSpan.FromMilliseconds(50);
                options.CallTimeout = TimeSpan.FromSeconds(10);
            }),
            Token);
        var seen = new List<long>();

        await foreach (var happened in client.WatchEventsAsync(0, cancellationToken: Token))
        {
            seen.Add(happened.Sequence);
            if (happened.Sequence == 2) break;
            await silo.StopAsync();
            silo.World.Record(Samples.Event(2));
            await silo.StartAsync();
        }

        Assert.Equal([1, 2], seen);
    }

    [Fact]
    public async Task WatchEventsAsync_Cancelled_EndsPromptly()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.PollInterval = TimeSpan.FromMinutes(10)), Token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        cancel.CancelAfter(300);
        var watch = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.WatchEventsAsync(cancellationToken: cancel.Token).ToListAsync(Token).AsTask());

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed}.");
    }
}
