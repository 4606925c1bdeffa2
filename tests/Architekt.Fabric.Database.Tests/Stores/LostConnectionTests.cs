using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

public sealed class LostConnectionTests(PostgresDatabase database) : StoreTest(database), IClassFixture<PostgresDatabase>
{
    private readonly string _connectionString = database.ConnectionString;
    private readonly PostgresServer _server = database.Server;

    private CuttingProxy CreateProxy()
    {
        var parts = Parts(_connectionString);
        return new CuttingProxy(parts.Host!.StartsWith('/')
            ? new UnixDomainSocketEndPoint($"{parts.Host}/.s.PGSQL.{parts.Port}")
            : new IPEndPoint(Dns.GetHostAddresses(parts.Host!, AddressFamily.InterNetwork)[0], parts.Port));
    }

    /// <summary>Orleans has connections of its own to the same Postgres.</summary>
    private static async Task AskAsOrleansAsync(FabricDatabase database)
    {
        await using var connection = new NpgsqlConnection(database.Connection.Orleans);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        Assert.Equal(1, await command.ExecuteScalarAsync(Cancellation));
    }

    private FabricDatabase Through(CuttingProxy proxy) =>
        new(new FabricConnection(new NpgsqlConnectionStringBuilder(_connectionString) { Host = "127.0.0.1", Port = proxy.Port }.ConnectionString));

    [Fact]
    public async Task Commit_ReplyLost_IsUnknownAndWithdrawFindsItCommitted()
    {
        var plan = await BeginAsync();
        await using var proxy = CreateProxy();
        await using var broken = Through(proxy);
        var vms = new VmStore(broken, Sink);
        await vms.RehearseCommitAsync(plan, Cancellation);

        proxy.LosesReplies = true;
        Assert.Equal(CommitOutcome.Unknown, await vms.CommitAsync(plan, Cancellation));
        Assert.Equal(WithdrawOutcome.Unknown, await vms.WithdrawAsync(plan, Cancellation));

        proxy.LosesReplies = false;
        Assert.Equal(WithdrawOutcome.AlreadyCommitted, await vms.WithdrawAsync(plan, Cancellation));
        Assert.Equal("host-b", (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Host);
    }

    [Fact]
    public async Task Commit_RequestLost_IsUnknownAndWithdrawFindsItWithdrawn()
    {
        var plan = await BeginAsync();
        await using var proxy = CreateProxy();
        await using var broken = Through(proxy);
        var vms = new VmStore(broken, Sink);
        await vms.RehearseCommitAsync(plan, Cancellation);

        proxy.LosesRequests = true;
        Assert.Equal(CommitOutcome.Unknown, await vms.CommitAsync(plan, Cancellation));

        proxy.LosesRequests = false;
        Assert.Equal(WithdrawOutcome.Withdrawn, await vms.WithdrawAsync(plan, Cancellation));
        Assert.Equal(CommitOutcome.Refused, await vms.CommitAsync(plan, Cancellation));
        Assert.Equal("host-a", (await Vms.FindAsync(plan.Vm, Cancellation))!.Info.Host);
    }

    [Fact]
    public async Task Commit_CancelledBeforeItIsSent_ThrowsAndChangesNothing()
    {
        var plan = await BeginAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Vms.CommitAsync(plan, new CancellationToken(canceled: true)));
        Assert.Equal(CommitOutcome.Committed, await Vms.CommitAsync(plan, Cancellation));
    }

    [Fact]
    public async Task Everything_NobodyThere_IsUnavailableAtOnce()
    {
        await using var gone = new FabricDatabase(new FabricConnection("Host=127.0.0.1;Port=1;Username=u;Password=secret;Database=d"));
        var (vms, operations) = (new VmStore(gone, Sink), new OperationStore(gone, Sink));
        var (events, hosts) = (new EventLog(gone, Sink), new HostStore(gone));
        var plan = Plan("vm");
        var clock = Stopwatch.StartNew();
        Func<Task>[] calls =
        [
            () => vms.FindAsync("vm", Cancellation),
            () => vms.ListAsync(null, Cancellation),
            () => vms.CreateAsync(Vm("vm"), Cancellation),
            () => vms.SetStateAsync("vm", 1, VmState.Running, null, null, Cancellation),
            () => vms.DeleteAsync("vm", 1, Cancellation),
            () => vms.RehearseCommitAsync(plan, Cancellation),
            () => operations.BeginAsync(plan, Cancellation),
            () => operations.FindAsync("op", Cancellation),
            () => operations.SetPhaseAsync("op", MigrationPhase.Copy, Cancellation),
            () => operations.EndAsync(Result(plan), Cancellation),
            () => operations.ListUnfinishedAsync("host-a", Cancellation),
            () => events.ReadAsync(0, 1, Cancellation),
            () => hosts.ListAsync(Cancellation),
        ];
        foreach (var call in calls)
        {
            var thrown = await ThrowsAsync(FabricErrorCode.Unavailable, call);
            Assert.True(thrown.IsTransient);
            Assert.Contains("127.0.0.1:1", thrown.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", thrown.Message, StringComparison.Ordinal);
        }

        Assert.Equal(CommitOutcome.Unknown, await vms.CommitAsync(plan, Cancellation));
        Assert.Equal(WithdrawOutcome.Unknown, await vms.WithdrawAsync(plan, Cancellation));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(FabricConnection.ConnectSeconds));
    }

    [Fact]
    public async Task Find_PostgresComesBack_Works()
    {
        await using var proxy = CreateProxy();
        await using var broken = Through(proxy);
        var vms = new VmStore(broken, Sink);
        var vm = await CreateVmAsync();
        Assert.NotNull(await vms.FindAsync(vm, Cancellation));
        proxy.LosesReplies = true;
        await ThrowsAsync(FabricErrorCode.Unavailable, () => vms.FindAsync(vm, Cancellation));
        proxy.LosesReplies = false;
        Assert.NotNull(await vms.FindAsync(vm, Cancellation));
    }

    [Fact]
    public async Task Begin_IdleConnectionsWereLost_NobodyHears()
    {
        var vm = await CreateVmAsync();
        await using var proxy = CreateProxy();
        await using var broken = Through(proxy);
        // Several at once, so that the pool holds several.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new EventLog(broken, Sink).ReadAsync(0, 1, Cancellation)));
        await new VmStore(broken, Sink).RehearseCommitAsync(Plan(vm, operation: "op-none"), Cancellation);

        await proxy.CutAllAsync();

        Assert.Equal("op-lost", (await new OperationStore(broken, Sink).BeginAsync(Plan(vm, operation: "op-lost"), Cancellation)).Id);
        Assert.Equal(CommitOutcome.Committed, await new VmStore(broken, Sink).CommitAsync(Plan(vm, operation: "op-lost"), Cancellation));
    }

    [Fact]
    public async Task Find_IdleConnectionsWereLost_OrleansHasNoDeadOnesEither()
    {
        await using var proxy = CreateProxy();
        await using var broken = Through(proxy);
        await AskAsOrleansAsync(broken);
        await new EventLog(broken, Sink).ReadAsync(0, 1, Cancellation);

        await proxy.CutAllAsync();
        await new EventLog(broken, Sink).ReadAsync(0, 1, Cancellation);

        await AskAsOrleansAsync(broken);
    }

    /// <summary>Its last word to each connection (57P01) is read by whoever uses that next, and was not meant for them.</summary>
    [Fact]
    public async Task Find_PostgresWasRestartedMeanwhile_NobodyHears()
    {
        var vm = await CreateVmAsync();
        await using var other = new FabricDatabase(new FabricConnection(_connectionString));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new EventLog(other, Sink).ReadAsync(0, 1, Cancellation)));
        await new VmStore(other, Sink).RehearseCommitAsync(Plan(vm, operation: "op-none"), Cancellation);
        await AskAsOrleansAsync(other);

        // As a fast shutdown does (pg_ctl(1)).
        await ExecuteAsync("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");

        Assert.NotNull(await new VmStore(other, Sink).FindAsync(vm, Cancellation));
        Assert.Equal("op-restarted", (await new OperationStore(other, Sink).BeginAsync(Plan(vm, operation: "op-restarted"), Cancellation)).Id);
        Assert.Equal(CommitOutcome.Committed, await new VmStore(other, Sink).CommitAsync(Plan(vm, operation: "op-restarted"), Cancellation));
        await AskAsOrleansAsync(other);
    }

    [Fact]
    public async Task Find_NoSchema_SaysWhatToDo()
    {
        await using var empty = new FabricDatabase(new FabricConnection(await _server.CreateEmptyDatabaseAsync(Cancellation)));
        var thrown = await ThrowsAsync(FabricErrorCode.Failed, () => new VmStore(empty, Sink).FindAsync("vm", Cancellation));
        Assert.Contains("Start a silo", thrown.Message, StringComparison.Ordinal);
    }
}
