using System.Text.Json;

namespace Architekt.Fabric.Qemu.Tests.Qmp;

/// <summary>The words on the wire, against QEMU's schema as written in its reference manual.</summary>
public sealed class QmpCommandsTests : IAsyncLifetime
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
    public Task MigrateSetCapabilities_Arguments() => AssertArgumentsAsync(
        token => _client.MigrateSetCapabilitiesAsync(new() { IgnoreShared = true, PauseBeforeSwitchover = true }, token), "migrate-set-capabilities",
        """{"capabilities":[{"capability":"x-ignore-shared","state":true},{"capability":"events","state":true},{"capability":"pause-before-switchover","state":true}]}""");

    [Fact]
    public Task MigrateSetParameters_OnlyWhatIsGiven() => AssertArgumentsAsync(
        token => _client.MigrateSetParametersAsync(new() { MaxBandwidth = 1 << 30, DowntimeLimit = 5, AnnounceRounds = 1 }, token),
        "migrate-set-parameters", """{"max-bandwidth":1073741824,"downtime-limit":5,"announce-rounds":1}""");

    [Fact]
    public Task MigrateContinue_Arguments() => AssertArgumentsAsync(
        token => _client.MigrateContinueAsync(MigrationStatus.PreSwitchover, token), "migrate-continue", """{"state":"pre-switchover"}""");

    [Fact]
    public Task NbdServerStart_Arguments() => AssertArgumentsAsync(
        token => _client.NbdServerStartAsync("/run/nbd", token), "nbd-server-start", """{"addr":{"type":"unix","data":{"path":"/run/nbd"}}}""");

    [Fact]
    public Task BlockExportAdd_Arguments() => AssertArgumentsAsync(
        token => _client.BlockExportAddAsync("disk", "disk", true, null, token), "block-export-add",
        """{"type":"nbd","id":"disk","node-name":"disk","writable":true}""");

    [Fact]
    public Task BlockdevAdd_Arguments() => AssertArgumentsAsync(
        token => _client.BlockdevAddNbdAsync("far", "/run/nbd", "disk", token), "blockdev-add",
        """{"driver":"nbd","node-name":"far","server":{"type":"unix","path":"/run/nbd"},"export":"disk"}""");

    [Fact]
    public Task BlockdevMirror_Arguments() => AssertArgumentsAsync(
        token => _client.BlockdevMirrorAsync("mirror", "disk", "far", MirrorSync.Top, MirrorCopyMode.WriteBlocking, null, token), "blockdev-mirror",
        """{"job-id":"mirror","device":"disk","target":"far","sync":"top","copy-mode":"write-blocking"}""");

    [Fact]
    public Task BlockJobCancel_Arguments() => AssertArgumentsAsync(
        token => _client.BlockJobCancelAsync("mirror", false, token), "block-job-cancel", """{"device":"mirror","force":false}""");

    [Fact]
    public Task AnnounceSelf_Arguments() => AssertArgumentsAsync(
        token => _client.AnnounceSelfAsync(new(Rounds: 3), token), "announce-self", """{"initial":50,"max":550,"rounds":3,"step":100}""");

    [Fact]
    public async Task QueryMigrate_EmptyAnswer_MeansNone()
    {
        Assert.Equal(MigrationStatus.None, (await QueryAsync(_client.QueryMigrateAsync, "query-migrate", "{}")).Status);
    }

    [Fact]
    public async Task QueryMigrate_FullAnswer_IsRead()
    {
        var info = await QueryAsync(
            _client.QueryMigrateAsync, "query-migrate",
            """{"status": "failed", "total-time": 12, "error-desc": "no space", "ram": {"transferred": 1, "remaining": 2, "total": 3, "mbps": 0.5}, "blocked-reasons": ["because"]}""");
        Assert.Equal((MigrationStatus.Failed, 12L, "no space"), (info.Status, info.TotalTime, info.ErrorDesc));
        Assert.Equal(new MigrationTraffic(1, 2, 3), info.Ram);
        Assert.Equal(["because"], info.BlockedReasons!);
    }

    [Fact]
    public async Task QueryStatus_FutureState_IsUnknown() => Assert.Equal(
        new QmpStatus(false, RunState.Unknown),
        await QueryAsync(_client.QueryStatusAsync, "query-status", """{"status": "dreaming", "running": false}"""));

    [Fact]
    public async Task QueryBlockJobs_WrongShape_SaysWhichCommand()
    {
        var exception = await Assert.ThrowsAsync<QmpConnectionException>(() => QueryAsync(_client.QueryBlockJobsAsync, "query-block-jobs", "{}"));
        Assert.Contains("query-block-jobs", exception.Message, StringComparison.Ordinal);
    }

    private async Task AssertArgumentsAsync(Func<CancellationToken, Task> run, string name, string expected)
    {
        var running = run(Deadline.After(20));
        var command = await _server.ReadCommandAsync(name);
        Assert.True(
            JsonElement.DeepEquals(JsonDocument.Parse(expected).RootElement, command.GetProperty("arguments")),
            command.GetProperty("arguments").GetRawText());
        await _server.ReturnAsync(command);
        await running;
    }

    private async Task<T> QueryAsync<T>(Func<CancellationToken, Task<T>> run, string name, string answer)
    {
        var running = run(Deadline.After(20));
        await _server.ReturnAsync(await _server.ReadCommandAsync(name), answer);
        return await running;
    }
}
