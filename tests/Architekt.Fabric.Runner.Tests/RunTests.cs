using Architekt.Fabric.Runner.Tests.Support;

namespace Architekt.Fabric.Runner.Tests;

/// <summary>The command with a real peer, a real QEMU and a guest with Redis, which writes nothing to its disk.</summary>
public sealed class RunTests(PackagedGuest packaged) : IClassFixture<PackagedGuest>, IAsyncDisposable
{
    private readonly RunnerHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Run_SuspendedAndRunAgain_GoesOnWithWhatWasInMemoryOnly()
    {
        var blueprint = RunnerHost.RequireBlueprint();
        var (first, redis) = await _host.RunRedisAsync(blueprint);
        await first.UntilItSaysAsync("is up");
        Assert.Equal("+OK", await redis.AskAsync("SET", "where", "memory"));
        var id = await RunIdAsync(redis);
        var second = _host.Run(blueprint);
        Assert.Equal(4, await second.WaitForExitAsync());
        Assert.StartsWith($"fabric: The machine 'redis' is being run already by process {first.Pid}: ", second.Error, StringComparison.Ordinal);
        await first.SuspendAsync();

        // From another port, and twice, so that what was written down out of a suspended state is one, too.
        for (var time = 0; time < 2; time++)
        {
            var (again, restored) = await _host.RunRedisAsync(blueprint);
            Assert.Contains("goes on where it was suspended", again.Error, StringComparison.Ordinal);
            Assert.Equal(("memory", id), (await restored.AskAsync("GET", "where"), await RunIdAsync(restored)));
            await again.SuspendAsync();
        }

        Assert.Empty(_host.Processes());
        Assert.Empty(_host.Runtimes());

        var (fresh, forgotten) = await _host.RunRedisAsync(blueprint, "--fresh");
        Assert.Equal("$-1", await forgotten.AskAsync("GET", "where"));
        await fresh.KillAsync();
        var (afterwards, empty) = await _host.RunRedisAsync(blueprint);
        Assert.Equal("$-1", await empty.AskAsync("GET", "where"));
        Assert.Contains("'redis' boots:", afterwards.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_PackageWithItsCardOnATap_ResumesAndKeepsItsAddress()
    {
        var package = await packaged.RequireAsync();
        var (first, redis) = await _host.RunRedisAsync(package, "--fill", "none");
        Assert.Contains("'packaged' resumed from its package", first.Error, StringComparison.Ordinal);
        Assert.Equal("+OK", await redis.AskAsync("SET", "where", "memory"));

        // More than one segment, both ways: what the card leaves to others about checksums and segments is done.
        var big = new string('x', 200_000);
        Assert.Equal("+OK", await redis.AskAsync("SET", "big", big));
        Assert.Equal(big, await redis.AskAsync("GET", "big"));
        await first.SuspendAsync();

        var (again, restored) = await _host.RunRedisAsync(package);
        Assert.Equal("memory", await restored.AskAsync("GET", "where"));
        await again.SuspendAsync();

        var (other, fresh) = await _host.RunRedisAsync(package, "--name", "other");
        Assert.Equal("$-1", await fresh.AskAsync("GET", "where"));
        await other.SuspendAsync();
    }

    [Fact]
    public async Task Run_Killed_LeavesNothingRunningAndTheFormerState()
    {
        var blueprint = RunnerHost.RequireBlueprint();
        var (first, redis) = await _host.RunRedisAsync(blueprint);
        await redis.AskAsync("SET", "visit", "first");
        await first.SuspendAsync();
        var (second, changed) = await _host.RunRedisAsync(blueprint);
        await changed.AskAsync("SET", "visit", "second");
        Assert.NotEmpty(_host.Processes());

        await second.KillAsync();

        await Deadline.UntilAsync(() => _host.Processes().Count == 0, () => $"peer and QEMU end: {string.Join(", ", _host.Processes())}", seconds: 10);
        var left = Assert.Single(_host.Runtimes());
        var (third, restored) = await _host.RunRedisAsync(blueprint);
        Assert.Equal("first", await restored.AskAsync("GET", "visit"));
        Assert.False(Directory.Exists(left));
        await third.SuspendAsync();
    }

    /// <summary>At moments all through the suspension, and beyond it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(120)]
    [InlineData(300)]
    [InlineData(600)]
    public async Task Run_KilledWhileSuspending_HasTheFormerStateOrTheNewOne(int milliseconds)
    {
        var blueprint = RunnerHost.RequireBlueprint();
        var (first, redis) = await _host.RunRedisAsync(blueprint);
        await redis.AskAsync("SET", "visit", "first");
        await first.SuspendAsync();
        var (second, changed) = await _host.RunRedisAsync(blueprint);
        await changed.AskAsync("SET", "visit", "second");

        second.Interrupt();
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        await second.KillAsync();

        var (third, restored) = await _host.RunRedisAsync(blueprint);
        Assert.Contains("goes on where it was suspended", third.Error, StringComparison.Ordinal);
        Assert.True(await restored.AskAsync("GET", "visit") is "first" or "second");
        await third.SuspendAsync();
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(_host.State, "machines", "redis")));
    }

    [Fact]
    public async Task Run_QemuKilled_FailsAndTheNextRunGoesOnFromBefore()
    {
        var blueprint = RunnerHost.RequireBlueprint();
        var (first, _) = await _host.RunRedisAsync(blueprint);
        var identity = new Peers.InstanceFolder(Assert.Single(_host.Runtimes())).ReadIdentity()!;

        new Processes.ProcessIdentity(identity.QemuPid, identity.QemuStartTicks).Kill(Processes.ProcessSignal.Kill);

        Assert.Equal(1, await first.WaitForExitAsync());
        Assert.Contains("fabric: The machine 'redis' failed: QEMU ended with code 137", first.Error, StringComparison.Ordinal);
        Assert.Empty(_host.Runtimes());
    }

    [Fact]
    public async Task Run_PeerKilled_FailsAndLeavesNoQemu()
    {
        var (first, _) = await _host.RunRedisAsync(RunnerHost.RequireBlueprint());
        var identity = new Peers.InstanceFolder(Assert.Single(_host.Runtimes())).ReadIdentity()!;

        new Processes.ProcessIdentity(identity.PeerPid, identity.PeerStartTicks).Kill(Processes.ProcessSignal.Kill);

        Assert.Equal(1, await first.WaitForExitAsync());
        Assert.Contains("fabric: The machine 'redis' failed: its peer ended unexpectedly", first.Error, StringComparison.Ordinal);
        Assert.Empty(_host.Processes());
    }

    [Fact]
    public async Task Run_GuestShutsDown_EndsWithZeroAndBootsFromItsDisk()
    {
        var blueprint = RunnerHost.RequireBlueprint();
        var (first, _) = await _host.RunRedisAsync(blueprint, "--console");
        await first.Input.WriteLineAsync("\necho kept >/root/note; sync; kill -TERM 1");
        await first.Input.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, await first.WaitForExitAsync());
        Assert.Contains("'redis' has shut down. Run it again to boot it from its disk", first.Error, StringComparison.Ordinal);

        var (second, _) = await _host.RunRedisAsync(blueprint, "--console");
        Assert.Contains("boots from the disk it had", second.Error, StringComparison.Ordinal);
        await second.Input.WriteLineAsync("\necho it-is-$(cat /root/note)");
        await second.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Deadline.UntilAsync(() => second.Output.Contains("it-is-kept", StringComparison.Ordinal), () => $"the file is there: {second.Output}");
        second.Interrupt();
        Assert.Equal(0, await second.WaitForExitAsync());
    }

    [Fact]
    public async Task Run_Console_ShowsAllOfTheBootAndTakesWhatIsTyped()
    {
        var (run, _) = await _host.RunRedisAsync(RunnerHost.RequireBlueprint(), "--console", "--rm");
        await run.Input.WriteLineAsync("\necho sum-$((20 + 3))");
        await run.Input.FlushAsync(TestContext.Current.CancellationToken);
        await Deadline.UntilAsync(() => run.Output.Contains("sum-23", StringComparison.Ordinal), () => $"the shell answers: {run.Output}");
        Assert.Contains("BusyBox v", run.Output, StringComparison.Ordinal);

        run.Interrupt();

        Assert.Equal(0, await run.WaitForExitAsync());
        Assert.Contains("'redis' has ended, and nothing of it is kept", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_host.State, "machines")));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_host.State, "packages"), "sha256-*"));
    }

    [Fact]
    public async Task Run_Json_IsOneObjectAtTheEnd()
    {
        var (run, _) = await _host.RunRedisAsync(RunnerHost.RequireBlueprint(), "-o", "json");
        Assert.Equal("", run.Output);

        run.Interrupt();

        Assert.Equal((0, ""), (await run.WaitForExitAsync(), run.Error));
        var report = System.Text.Json.JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(
            ("redis", "booted", "suspended"),
            (report.GetProperty("name").GetString(), report.GetProperty("start").GetString(), report.GetProperty("end").GetString()));
        Assert.InRange(report.GetProperty("suspension").GetProperty("memoryBytes").GetInt64(), 16 << 20, 256 << 20);
        Assert.Equal(6379, report.GetProperty("forwards")[0].GetProperty("guestPort").GetInt32());
    }

    [Fact]
    public async Task Run_AnotherPackageOfTheSameName_IsRefusedUnlessFresh()
    {
        var (first, _) = await _host.RunRedisAsync(RunnerHost.RequireBlueprint());
        await first.SuspendAsync();
        var package = await packaged.RequireAsync();

        var second = _host.Run(package, "--name", "redis");

        Assert.Equal(4, await second.WaitForExitAsync());
        Assert.Contains("came from another package", second.Error, StringComparison.Ordinal);
        var (third, _) = await _host.RunRedisAsync(package, "--name", "redis", "--fresh");
        await third.SuspendAsync();
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(_host.State, "packages"), "sha256-*"));
    }

    [Fact]
    public async Task Run_PortTaken_IsRefusedBeforeAnythingIsStarted()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;

        var run = _host.Run(RunnerHost.RequireBlueprint(), "-p", $"{port}:6379");

        Assert.Equal(4, await run.WaitForExitAsync());
        Assert.StartsWith($"fabric: The tcp port {port} of 127.0.0.1 is taken by another program", run.Error, StringComparison.Ordinal);
        Assert.Empty(_host.Runtimes());
    }

    [Fact]
    public async Task Run_DamagedPackage_IsRefusedAndNothingOfItIsKept()
    {
        var package = Directory.CreateDirectory(Path.Combine(_host.State, "damaged")).FullName;
        foreach (var file in Directory.EnumerateFiles(RunnerHost.RequireBlueprint())) File.Copy(file, Path.Combine(package, Path.GetFileName(file)));
        await using (var kernel = new FileStream(Path.Combine(package, "kernel"), FileMode.Open))
        {
            kernel.Position = 4096;
            kernel.WriteByte(0x5a);
            kernel.WriteByte(0xa5);
        }

        var run = _host.Run(package);

        Assert.Equal(1, await run.WaitForExitAsync());
        Assert.Contains("The entry 'kernel'", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(_host.State, "packages"), "sha256-*"));
    }

    [Fact]
    public async Task Run_PackageFromACpuWithMore_IsRefusedBeforeAnythingIsStarted()
    {
        var package = Directory.CreateDirectory(Path.Combine(_host.State, "other-cpu")).FullName;
        await PackagedGuest.WriteEmptyAsync(package, static manifest => manifest with { CpuFeatures = ["sse2", "avx512f"] });

        var run = _host.Run(package);

        Assert.Equal(4, await run.WaitForExitAsync());
        Assert.Equal(
            "fabric: The package 'packaged' needs the CPU feature avx512f, which this machine does not have: run it where the CPU has at least the same.", run.Error.TrimEnd());
        Assert.Empty(_host.Runtimes());
        Assert.Empty(_host.Processes());
    }

    [Fact]
    public async Task Run_NoPackage_ExitsWithNotFound()
    {
        var run = _host.Run(Path.Combine(_host.State, "none.ark"));

        Assert.Equal(3, await run.WaitForExitAsync());
        Assert.Matches("^fabric: [^\n]*none.ark[^\n]*$", run.Error);
    }

    /// <summary>Chosen by Redis when it starts.</summary>
    private static Task<string> RunIdAsync(Redis redis) => redis.AskAsync("EVAL", "return redis.call('INFO', 'server'):match('run_id:(%w+)')", "0");
}
