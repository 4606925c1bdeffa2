using System.Text.Json;

namespace Architekt.Fabric.Qemu.Tests.Qmp;

public sealed class QmpEventTests : IAsyncLifetime
{
    private QmpServerMock _server = null!;
    private QmpClient _client = null!;

    public async ValueTask InitializeAsync() => (_server, _client) = await QmpServerMock.ConnectedAsync();

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Events_TwoSubscribers_EachGetsAllSinceItsSubscription()
    {
        var first = _client.Events(Deadline.After(20));
        await SendAndSettleAsync("A");
        var second = _client.Events(Deadline.After(20));
        await SendAndSettleAsync("B");
        Assert.Equal(["A", "B"], await TakeAsync(first, 2));
        Assert.Equal(["B"], await TakeAsync(second, 1));
    }

    [Fact]
    public async Task Events_ConnectionCut_StreamFailsAfterWhatCameBefore()
    {
        var events = _client.Events(Deadline.After(20));
        await SendAndSettleAsync("LAST");
        _server.Cut();
        List<string> seen = [];
        await Assert.ThrowsAsync<QmpConnectionException>(async () =>
        {
            await foreach (var value in events) seen.Add(value.Name);
        });
        Assert.Equal(["LAST"], seen);
        await Assert.ThrowsAsync<QmpConnectionException>(async () => await TakeAsync(_client.Events(Deadline.After(20)), 1));
    }

    [Fact]
    public async Task Events_ClientDisposed_StreamEndsQuietly()
    {
        var events = _client.Events(Deadline.After(20));
        await _client.DisposeAsync();
        Assert.Empty(await TakeAsync(events, 1));
    }

    [Fact]
    public async Task Wait_FilterDoesNotMatch_WaitsForTheOneThatDoes()
    {
        var waiting = _client.WaitForMigrationAsync(MigrationStatus.PreSwitchover, Deadline.After(20));
        await SendAndSettleAsync("MIGRATION", """{"status": "active"}""");
        await SendAndSettleAsync("STOP");
        Assert.False(waiting.IsCompleted);
        await SendAndSettleAsync("MIGRATION", """{"status": "pre-switchover"}""");
        Assert.Equal(MigrationStatus.PreSwitchover, (await waiting).MigrationStatus);
    }

    [Theory]
    [InlineData("failed", MigrationStatus.Failed)]
    [InlineData("cancelled", MigrationStatus.Cancelled)]
    public async Task WaitForMigration_EndedOtherwise_CompletesWithThat(string status, MigrationStatus expected)
    {
        var waiting = _client.WaitForMigrationAsync(MigrationStatus.Completed, Deadline.After(20));
        await SendAndSettleAsync("MIGRATION", $$"""{"status": "{{status}}"}""");
        Assert.Equal(expected, (await waiting).MigrationStatus);
    }

    [Fact]
    public async Task Wait_Cancelled_LeavesOthersWaiting()
    {
        using var cancel = new CancellationTokenSource();
        var cancelled = _client.WaitForEventAsync("STOP", null, cancel.Token);
        var other = _client.WaitForEventAsync("STOP", null, Deadline.After(20));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await SendAndSettleAsync("STOP");
        Assert.Equal("STOP", (await other).Name);
    }

    [Fact]
    public async Task Wait_FilterThrows_FailsThatWaiterOnly()
    {
        var broken = _client.WaitForEventAsync("STOP", _ => throw new FormatException("filter"), Deadline.After(20));
        var other = _client.WaitForEventAsync("STOP", null, Deadline.After(20));
        await SendAndSettleAsync("STOP");
        await Assert.ThrowsAsync<FormatException>(() => broken);
        await other;
    }

    [Theory]
    [InlineData("""{"seconds": -1, "microseconds": -1}""")]
    [InlineData("""{"seconds": 99999999999999, "microseconds": 0}""")]
    [InlineData("""{}""")]
    [InlineData("null")]
    public async Task Event_WithoutAClock_HasTheEpochAsItsTime(string timestamp)
    {
        var waiting = _client.WaitForEventAsync("X", null, Deadline.After(20));
        await _server.SendLineAsync($$"""{"event": "X", "timestamp": {{timestamp}}}""");
        var value = await waiting;
        Assert.Equal(DateTimeOffset.UnixEpoch, value.Timestamp);
        Assert.Equal(JsonValueKind.Undefined, value.Data.ValueKind);
    }

    [Fact]
    public void MigrationStatus_FutureState_IsUnknownAndOtherEventsHaveNone()
    {
        Assert.Equal(MigrationStatus.Unknown, Event("MIGRATION", """{"status": "teleporting"}""").MigrationStatus);
        Assert.Null(Event("STOP", "{}").MigrationStatus);
        Assert.Null(Event("MIGRATION", """{"status": 5}""").MigrationStatus);
    }

    private static QmpEvent Event(string name, string data) => new(name, default, JsonDocument.Parse(data).RootElement);

    /// <summary>A reply behind the event proves that the event has been handed out.</summary>
    private async Task SendAndSettleAsync(string name, string data = "{}")
    {
        await _server.SendLineAsync($$"""{"event": "{{name}}", "timestamp": {"seconds": 1, "microseconds": 2}, "data": {{data}} }""");
        var asking = _client.ExecuteAsync("settle", Deadline.After(20));
        await _server.ReturnAsync(await _server.ReadCommandAsync("settle"));
        await asking;
    }

    private static async Task<List<string>> TakeAsync(IAsyncEnumerable<QmpEvent> events, int count)
    {
        List<string> names = [];
        await foreach (var value in events)
        {
            names.Add(value.Name);
            if (names.Count == count) break;
        }
        return names;
    }
}
