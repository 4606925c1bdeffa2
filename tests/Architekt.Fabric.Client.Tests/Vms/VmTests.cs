using System.Text;
using Architekt.Fabric.Client.Tests.Fakes;

namespace Architekt.Fabric.Client.Tests.Vms;

public sealed class VmTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetVmAsync_UnknownVm_FailsWithNotFound()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.GetVmAsync("nobody", Token));

        Assert.Equal((FabricErrorCode.NotFound, "There is no VM named 'nobody'."), (error.Code, error.Message));
    }

    [Fact]
    public async Task RunVmAsync_FabricRefuses_GivesItsErrorUnchanged()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.VmFault = () => new FabricException(FabricErrorCode.NoCapacity, "Host 'host-a' has no room.", isTransient: true);
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.RunVmAsync(new VmSpec("redis", "guest"), Token));

        Assert.Equal((FabricErrorCode.NoCapacity, "Host 'host-a' has no room.", true), (error.Code, error.Message, error.IsTransient));
    }

    [Fact]
    public async Task RunVmAsync_SiloIsLost_FailsWithUnavailable()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.VmFault = () => new SiloUnavailableException("Its host is gone.");
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.RunVmAsync(new VmSpec("redis", "guest"), Token));

        Assert.Equal((FabricErrorCode.Unavailable, true), (error.Code, error.IsTransient));
    }

    [Fact]
    public async Task RunVmAsync_PullTakesLongerThanACall_WaitsForItAndAsksAgain()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Hosts.Enqueue(Samples.Host("host-b"));
        silo.World.Imports.Enqueue(new PackageImport(true, 1000, 1000, Samples.Package("host-b", "guest"), null, null));
        silo.World.VmFault = () => silo.World.Pulls.IsEmpty ? FabricException.Unavailable("Package 'guest' is still being pulled.") : null;
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        await client.RunVmAsync(new VmSpec("redis", "guest", "host-b"), Token);

        Assert.Equal(["host-b/guest as "], silo.World.Pulls);
        Assert.Single(silo.World.Runs);
    }

    [Fact]
    public async Task RunVmAsync_UnavailableAlthoughThePackageIsThere_IsNotAskedAgain()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Hosts.Enqueue(Samples.Host("host-b"));
        silo.World.Packages["host-b/guest"] = Samples.Package("host-b", "guest");
        var asked = 0;
        silo.World.VmFault = () => Interlocked.Increment(ref asked) > 0 ? FabricException.Unavailable("Postgres cannot be reached.") : null;
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.RunVmAsync(new VmSpec("redis", "guest", "host-b"), Token));

        Assert.Equal(("Postgres cannot be reached.", 1), (error.Message, asked));
        Assert.Empty(silo.World.Pulls);
    }

    [Fact]
    public async Task RunVmAsync_BadName_IsRefusedHere()
    {
        await using var client = new FabricClient(new FabricClientOptions());

        Assert.Equal(
            FabricErrorCode.InvalidArgument,
            (await Assert.ThrowsAsync<FabricException>(() => client.RunVmAsync(new VmSpec("Not A Name", "guest"), Token))).Code);
    }

    [Fact]
    public async Task StopVmAsync_NoAnswer_FailsWithTimeout()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.CallTimeout = TimeSpan.FromSeconds(1)), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.StopVmAsync("redis", cancellationToken: Token));

        Assert.Equal(FabricErrorCode.Timeout, error.Code);
    }

    [Fact]
    public async Task AnyCall_SiloRestarts_WorksAgain()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Vms["redis"] = Samples.Vm();
        await using var client = await FabricClient.ConnectAsync(silo.Options(options => options.CallTimeout = TimeSpan.FromSeconds(10)), Token);
        Assert.NotNull(await client.FindVmAsync("redis", Token));

        await silo.StopAsync();
        var down = await Assert.ThrowsAsync<FabricException>(() => client.FindVmAsync("redis", Token));
        await silo.StartAsync();

        Assert.True(down.IsTransient, down.Message);
        var vm = await client.WaitForVmAsync("redis", VmState.Running, TimeSpan.FromSeconds(30), Token);
        Assert.Equal("redis", vm.Name);
    }

    [Fact]
    public async Task WaitForVmAsync_StateComes_ReturnsTheVm()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var waiting = client.WaitForVmAsync("redis", VmState.Running, TimeSpan.FromSeconds(30), Token);

        silo.World.Vms["redis"] = Samples.Vm(state: VmState.Booting);
        silo.World.Vms["redis"] = Samples.Vm(state: VmState.Running);

        Assert.Equal(VmState.Running, (await waiting).State);
    }

    [Fact]
    public async Task WaitForVmAsync_VmHasFailed_FailsAtOnceWithItsReason()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Vms["redis"] = Samples.Vm(state: VmState.Failed) with { Reason = "QEMU ended with signal 9." };
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.WaitForVmAsync("redis", VmState.Running, TimeSpan.FromMinutes(5), Token));

        Assert.Equal(FabricErrorCode.Failed, error.Code);
        Assert.EndsWith("QEMU ended with signal 9.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WaitForVmAsync_StateDoesNotCome_FailsWithTimeoutAndSaysWhatItIs()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Vms["redis"] = Samples.Vm(state: VmState.Booting);
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => client.WaitForVmAsync("redis", VmState.Running, TimeSpan.FromMilliseconds(300), Token));

        Assert.Equal(FabricErrorCode.Timeout, error.Code);
        Assert.EndsWith("It is booting on host 'host-a'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FollowLogAsync_VmMoves_ReadsTheNewLogFromItsBeginning()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Vms["redis"] = Samples.Vm();
        silo.World.Log = "on host-a\n";
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var text = new StringBuilder();

        await foreach (var piece in client.FollowLogAsync("redis", 0, Token))
        {
            text.Append(Encoding.UTF8.GetString(piece.Data));
            if (piece.Epoch == 1)
            {
                silo.World.LogEpoch = 2;
                silo.World.Log = "now on host-b, and a longer log\n";
            }
            else
            {
                silo.World.Vms["redis"] = Samples.Vm(state: VmState.Stopped);
            }
        }

        Assert.Equal("on host-a\nnow on host-b, and a longer log\n", text.ToString());
    }

    [Fact]
    public async Task AttachConsole_Typed_ReachesTheGuest()
    {
        await using var silo = await TestSilo.StartNewAsync();
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        await client.AttachConsole("redis").WriteAsync("ls\r"u8.ToArray(), Token);

        Assert.Equal("ls\r", Encoding.UTF8.GetString(Assert.Single(silo.World.Typed)));
    }

    [Fact]
    public async Task AttachConsole_NoBacklog_ShowsOnlyWhatComes()
    {
        await using var silo = await TestSilo.StartNewAsync();
        silo.World.Vms["redis"] = Samples.Vm();
        silo.World.Log = "old\n";
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        await using var output = client.AttachConsole("redis").ReadAsync(cancellationToken: Token).GetAsyncEnumerator(Token);
        var next = output.MoveNextAsync().AsTask();

        for (var line = 0; !next.IsCompleted; line++)
        {
            silo.World.Log += $"new {line}\n";
            await Task.WhenAny(next, Task.Delay(50, Token));
        }

        Assert.True(await next);
        Assert.StartsWith("new", Encoding.UTF8.GetString(output.Current.Span), StringComparison.Ordinal);
    }
}
