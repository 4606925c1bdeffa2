using Architekt.Fabric.Grains;
using Architekt.Fabric.Testing;
using Npgsql;

namespace Architekt.Fabric.Database.Tests;

/// <summary>The stores over the class's database, and VMs that no other test touches.</summary>
public abstract class StoreTest : IAsyncDisposable
{
    private static int _number;

    private protected StoreTest(string connectionString)
    {
        Database = new FabricDatabase(new FabricConnection(connectionString));
        Vms = new VmStore(Database, Sink);
        Operations = new OperationStore(Database, Sink);
        Events = new EventLog(Database, Sink);
        Drains = new DrainStore(Database, Sink);
        Hosts = new HostStore(Database);
    }

    private protected StoreTest(PostgresDatabase database)
        : this(database.ConnectionString)
    {
    }

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected RecordingSink Sink { get; } = new();

    private protected FabricDatabase Database { get; }

    private protected VmStore Vms { get; }

    private protected OperationStore Operations { get; }

    private protected EventLog Events { get; }

    private protected DrainStore Drains { get; }

    private protected HostStore Hosts { get; }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static string Unique(string prefix) => $"{prefix}-{Interlocked.Increment(ref _number):D4}";

    protected static MachineDescription Machine(long memoryBytes = 256L << 20) => new(
        "redis", "sha256:00", "q35", "tcg", "max", 2, memoryBytes, "console=ttyS0", "52:54:00:00:00:01", "7.2.0", HasAgent: true);

    protected static VmRecord Vm(string name, string host = "host-a", long epoch = 1, long memoryBytes = 256L << 20)
    {
        var machine = Machine(memoryBytes);
        var at = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        return new VmRecord(
            new VmInfo(name, VmState.Starting, null, host, epoch, machine.Package, machine.PackageDigest, machine.Vcpus, machine.MemoryBytes, machine.Mac, null, at, at),
            machine);
    }

    protected static MigrationPlan Plan(string vm, string source = "host-a", string destination = "host-b", long epoch = 1, string? operation = null) => new(
        operation ?? Unique("op"), vm, source, destination, epoch, Machine(), new MigrationOptions(Verify: true), new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero));

    protected static MigrationResult Result(MigrationPlan plan, OperationOutcome outcome = OperationOutcome.Succeeded) => new(
        plan.Operation, plan.Vm, plan.Source, plan.Destination,
        outcome == OperationOutcome.Succeeded ? plan.Destination : plan.Source,
        outcome == OperationOutcome.Succeeded ? plan.NextEpoch : plan.Epoch,
        outcome,
        outcome == OperationOutcome.Succeeded ? null : MigrationPhase.Copy,
        outcome == OperationOutcome.Succeeded ? null : FabricErrorCode.Timeout,
        outcome == OperationOutcome.Succeeded ? null : "it took too long",
        812.5, 6.25,
        new Dictionary<MigrationPhase, double> { [MigrationPhase.Check] = 1.5, [MigrationPhase.Copy] = 700 },
        new PauseBreakdown(1, 2, 3, 4, 5, 6, 7, 8),
        new TransferCounters(3, 4, 5, 6, 7, 8, 9),
        Verified: true);

    private protected async Task<string> CreateVmAsync(string host = "host-a")
    {
        var name = Unique("vm");
        await Vms.CreateAsync(Vm(name, host), Cancellation);
        return name;
    }

    private protected async Task<MigrationPlan> BeginAsync(string? vm = null)
    {
        var plan = Plan(vm ?? await CreateVmAsync());
        await Operations.BeginAsync(plan, Cancellation);
        return plan;
    }

    private protected static async Task<FabricException> ThrowsAsync(FabricErrorCode code, Func<Task> act)
    {
        var thrown = await Assert.ThrowsAsync<FabricException>(act);
        Assert.Equal(code, thrown.Code);
        return thrown;
    }

    private protected async Task<T?> ScalarAsync<T>(string sql)
    {
        await using var command = Database.Source.CreateCommand(sql);
        return (T?)await command.ExecuteScalarAsync(Cancellation);
    }

    private protected async Task ExecuteAsync(string sql)
    {
        await using var command = Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private protected static NpgsqlConnectionStringBuilder Parts(string connectionString) => new(connectionString);
}
