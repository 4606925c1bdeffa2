using System.Text.Json;
using CsCheck;

namespace Architekt.Fabric.Qemu.Tests.Qmp;

public sealed class QmpClientTests : IAsyncLifetime
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
    public async Task Execute_Reply_ReturnsResult()
    {
        var running = _client.QueryStatusAsync(Deadline.After(20));
        var command = await _server.ReadCommandAsync("query-status");
        Assert.False(command.TryGetProperty("arguments", out _));
        await _server.ReturnAsync(command, """{"status": "running", "singlestep": false, "running": true}""");
        Assert.Equal(new QmpStatus(true, RunState.Running), await running);
    }

    [Fact]
    public async Task Execute_RepliesOutOfOrder_MatchesThemById()
    {
        var first = _client.ExecuteAsync("first", Deadline.After(20));
        var firstCommand = await _server.ReadCommandAsync("first");
        var second = _client.ExecuteAsync("second", Deadline.After(20));
        await _server.ReturnAsync(await _server.ReadCommandAsync("second"), "2");
        Assert.Equal(2, (await second).GetInt32());
        Assert.False(first.IsCompleted);
        await _server.ReturnAsync(firstCommand, "1");
        Assert.Equal(1, (await first).GetInt32());
    }

    [Fact]
    public async Task Execute_EventsBeforeTheReply_BothArrive()
    {
        var stopped = _client.WaitForEventAsync(QmpEventNames.Stop, null, Deadline.After(20));
        var stopping = _client.StopAsync(Deadline.After(20));
        var command = await _server.ReadCommandAsync("stop");
        await _server.SendAsync(
            """{"timestamp": {"seconds": 1, "microseconds": 250}, "event": "STOP"}""" + "\n"
            + $$"""{"id": {{QmpServerMock.IdOf(command)}}, "return": 0}""" + "\n");
        await stopping;
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(1).AddMicroseconds(250), (await stopped).Timestamp);
    }

    [Fact]
    public async Task Execute_ErrorReply_CarriesClassTextAndCommandAndKeepsTheConnection()
    {
        var failing = _client.BlockdevDelAsync("disk", Deadline.After(20));
        var id = QmpServerMock.IdOf(await _server.ReadCommandAsync("blockdev-del"));
        await _server.SendLineAsync($$"""{"error": {"class": "GenericError", "desc": "Node disk is in use"}, "id": {{id}}}""");
        var exception = await Assert.ThrowsAsync<QmpException>(() => failing);
        Assert.Equal(("blockdev-del", "GenericError", "Node disk is in use"), (exception.Command, exception.ErrorClass, exception.Description));
        await AssertUsableAsync();
    }

    [Theory]
    [InlineData("""{"return": {}, "id": 999999}""")]
    [InlineData("""{"return": {}, "id": "text"}""")]
    [InlineData("""{"return": {}, "id": {"a": [1]}}""")]
    [InlineData("""{"return": {}}""")]
    [InlineData("""{"error": {"class": "GenericError", "desc": "x"}, "id": 999999}""")]
    [InlineData("""{"something": ["new", {}], "other": null}""")]
    [InlineData("")]
    [InlineData(" \t")]
    public async Task Receive_NothingToDoWithUs_IsPassedOver(string line)
    {
        var pending = _client.ExecuteAsync("pending", Deadline.After(20));
        var command = await _server.ReadCommandAsync("pending");
        await _server.SendLineAsync(line);
        await _server.ReturnAsync(command, "7");
        Assert.Equal(7, (await pending).GetInt32());
    }

    [Theory]
    [InlineData("garbage", "not QMP")]
    [InlineData("""{"return": {}""", "not QMP")]
    [InlineData("""{"return": {}} {"return": {}}""", "not QMP")]
    [InlineData("""{"event": 5}""", "not QMP")]
    [InlineData("[1]", "not QMP")]
    [InlineData("\u0000\u0001", "not QMP")]
    [InlineData("""{"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}}""", "JSON parse error")]
    public async Task Receive_OutOfStep_FailsEverythingPending(string line, string expected)
    {
        var pending = _client.ExecuteAsync("pending", Deadline.After(20));
        var waiting = _client.WaitForEventAsync("STOP", null, Deadline.After(20));
        await _server.ReadCommandAsync("pending");
        await _server.SendLineAsync(line);
        var exception = await Assert.ThrowsAsync<QmpConnectionException>(() => pending);
        Assert.Contains("'pending'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<QmpConnectionException>(() => waiting);
        await _client.Completion.WaitAsync(Deadline.After(20));
        await Assert.ThrowsAsync<QmpConnectionException>(() => _client.ExecuteAsync("later", Deadline.After(20)));
    }

    [Theory]
    [InlineData("", "has exited")]
    [InlineData("{\"return\": ", "in the middle of a line")]
    public async Task Receive_ConnectionCut_FailsEverythingPending(string lastWords, string expected)
    {
        var first = _client.ExecuteAsync("first", Deadline.After(20));
        var second = _client.ExecuteAsync("second", Deadline.After(20));
        await _server.ReadCommandAsync("first");
        await _server.ReadCommandAsync("second");
        await _server.SendAsync(lastWords);
        _server.Cut();
        Assert.Contains(expected, (await Assert.ThrowsAsync<QmpConnectionException>(() => first)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<QmpConnectionException>(() => second);
    }

    [Fact]
    public async Task Execute_CutWithoutReadingTheCommand_FailsInsteadOfHanging()
    {
        _server.Cut();
        await Assert.ThrowsAsync<QmpConnectionException>(() => _client.ExecuteAsync("any", Deadline.After(20)));
    }

    [Fact]
    public async Task Quit_ConnectionCut_IsSuccess()
    {
        var quitting = _client.QuitAsync(Deadline.After(20));
        await _server.ReadCommandAsync("quit");
        _server.Cut();
        await quitting;
    }

    [Fact]
    public async Task Execute_CancelledThenReplied_KeepsTheConnection()
    {
        using var cancel = new CancellationTokenSource();
        var cancelled = _client.ExecuteAsync("slow", cancel.Token);
        var slow = await _server.ReadCommandAsync("slow");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var next = _client.ExecuteAsync("next", Deadline.After(20));
        var command = await _server.ReadCommandAsync("next");
        await _server.ReturnAsync(slow, "\"late\"");
        await _server.ReturnAsync(command, "\"mine\"");
        Assert.Equal("mine", (await next).GetString());
    }

    [Fact]
    public async Task Execute_CancelledWhileThePeerDoesNotRead_FinishesItsLineLater()
    {
        // Far more than the socket's buffers: the send cannot end before the peer reads.
        var long1 = new string('x', 4 * 1024 * 1024);
        using var cancel = new CancellationTokenSource();
        var cancelled = _client.HumanMonitorAsync(long1, cancel.Token);
        var behind = _client.ExecuteAsync("behind", Deadline.After(20));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(behind.IsCompleted);
        var whole = await _server.ReadCommandAsync("human-monitor-command");
        Assert.Equal(long1.Length, whole.GetProperty("arguments").GetProperty("command-line").GetString()!.Length);
        await _server.ReturnAsync(await _server.ReadCommandAsync("behind"), "5");
        Assert.Equal(5, (await behind).GetInt32());
    }

    [Fact]
    public async Task Receive_VeryLongLine_ArrivesWhole()
    {
        var text = new string('y', 12 * 1024 * 1024);
        var asking = _client.HumanMonitorAsync("info everything", Deadline.After(60));
        await _server.ReturnAsync(await _server.ReadCommandAsync("human-monitor-command"), $"\"{text}\"");
        Assert.Equal(text, await asking);
    }

    [Fact]
    public async Task Receive_CutAtAnyByte_ReadsTheSame()
    {
        var expectedEvents = _client.Events(Deadline.After(60)).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await using (expectedEvents)
        {
            await Gen.Select(Gen.Int[0, 1000], Gen.Int[1, 12].List[0, 12], Gen.String).SampleAsync(async (number, cuts, text) =>
            {
                var asking = _client.ExecuteAsync("ask", Deadline.After(20));
                var id = QmpServerMock.IdOf(await _server.ReadCommandAsync("ask"));
                var escaped = JsonEncodedText.Encode(text).ToString();
                var stream = $$"""{"event": "E", "timestamp": {"seconds": 3, "microseconds": 4}, "data": {"n": {{number}} } }""" + "\r\n"
                    + $$"""{"return": "{{escaped}}", "id": {{id}}}""" + "\r\n";
                var at = 0;
                foreach (var cut in cuts)
                {
                    var size = Math.Min(cut, stream.Length - at);
                    await _server.SendAsync(stream.Substring(at, size));
                    at += size;
                }
                await _server.SendAsync(stream[at..]);
                // Lone surrogates cannot be said in UTF-8; JsonEncodedText replaces them as the comparison does.
                Assert.Equal(JsonDocument.Parse($"\"{escaped}\"").RootElement.GetString(), (await asking).GetString());
                Assert.True(await expectedEvents.MoveNextAsync());
                Assert.Equal(number, expectedEvents.Current.Data.GetProperty("n").GetInt32());
            }, iter: 200, threads: 1);
        }
    }

    [Fact]
    public async Task Dispose_CommandPending_IsDisposedNotLost()
    {
        var pending = _client.ExecuteAsync("pending", Deadline.After(20));
        await _server.ReadCommandAsync("pending");
        await _client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pending);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _client.ExecuteAsync("later", Deadline.After(20)));
    }

    [Fact]
    public async Task Execute_ManyAtOnce_EachGetsItsOwn()
    {
        var answering = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                var command = await _server.ReadCommandAsync("echo");
                await _server.ReturnAsync(command, command.GetProperty("arguments").GetProperty("n").GetRawText());
            }
        }, TestContext.Current.CancellationToken);
        var asking = Enumerable.Range(0, 200).Select(async i =>
        {
            var reply = await _client.ExecuteAsync("echo", writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("n", i);
                writer.WriteEndObject();
            }, Deadline.After(20));
            Assert.Equal(i, reply.GetInt32());
        });
        await Task.WhenAll(asking);
        await answering;
    }

    private async Task AssertUsableAsync()
    {
        var asking = _client.ExecuteAsync("again", Deadline.After(20));
        await _server.ReturnAsync(await _server.ReadCommandAsync("again"), "3");
        Assert.Equal(3, (await asking).GetInt32());
    }
}
