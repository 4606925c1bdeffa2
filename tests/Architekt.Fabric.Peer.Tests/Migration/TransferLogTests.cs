using Architekt.Fabric.Peer.Migration;
using Microsoft.Extensions.Time.Testing;

namespace Architekt.Fabric.Peer.Tests.Migration;

public sealed class TransferLogTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private readonly TransferLog _log = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task WaitBeyond_NewerIsThere_AnswersAtOnce()
    {
        _log.Report(static latest => latest with { RemainingBytes = 5 });

        var waiting = _log.WaitBeyondAsync(0, Longest, _time, TestContext.Current.CancellationToken);

        Assert.True(waiting.IsCompleted);
        Assert.Equal((1, 5), ((await waiting).Version, (await waiting).RemainingBytes));
    }

    [Fact]
    public async Task WaitBeyond_NothingNewer_WaitsForTheNextReport()
    {
        var waiting = _log.WaitBeyondAsync(0, Longest, _time, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        _log.Report(static latest => latest with { IsConverged = true });

        Assert.True((await waiting).IsConverged);
    }

    [Fact]
    public async Task WaitBeyond_NothingHappens_AnswersTheLatestAfterAWhile()
    {
        _log.Report(static latest => latest with { Error = "it broke" });
        var waiting = _log.WaitBeyondAsync(1, Longest, _time, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        _time.Advance(Longest);

        Assert.Equal((1, "it broke"), ((await waiting).Version, (await waiting).Error));
    }

    [Fact]
    public async Task Report_ManyAtOnce_LosesNoChange()
    {
        await Parallel.ForAsync(0, 1000, TestContext.Current.CancellationToken, (_, _) =>
        {
            _log.Report(static latest => latest with { RemainingBytes = latest.RemainingBytes + 1 });
            return ValueTask.CompletedTask;
        });

        Assert.Equal((1000, 1000), (_log.Latest.Version, _log.Latest.RemainingBytes));
    }
}
