namespace Architekt.Fabric.Cli.Tests.Fakes;

internal static class Samples
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static HostInfo Host(string name, HostState state = HostState.Ready) => new(
        name, state, "10.0.0.1", 8, 32L << 30, 1L << 30, 2, "kvm", "7.2.22", "6.18.0", true, null, "0.1.0", Start.AddMinutes(-5));

    public static PackageInfo Package(string name = "guest", string host = "host-a", char digest = 'a') => new(
        host, name, "sha256-" + new string(digest, 64), "blueprint", "x86_64", "q35", 1, 256L << 20, 157286400, Start.AddDays(-2),
        [new PackageEntryInfo("kernel", 10485760, new string('1', 64)), new PackageEntryInfo("disk", 146800640, new string('2', 64))]);

    public static VmInfo Vm(string name = "redis", VmState state = VmState.Running, string host = "host-a") => new(
        name, state, null, host, 1, "guest", "sha256-" + new string('a', 64), 1, 256L << 20, "52:54:00:00:00:01", null, Start.AddHours(-3), Start.AddHours(-3));

    public static OperationInfo Operation(
        string id = "op-1", OperationOutcome outcome = OperationOutcome.Running, string vm = "redis", string destination = "host-b") => new(
        id, "migrate", vm, "host-a", destination, 2, MigrationPhase.Copy, outcome, null, Start.AddSeconds(-30), null);

    public static TransferCounters Transfer { get; } = new(4, 133_169_152, 52_428_800, 83_886_080, 5_242_880, 209_920, 40_960);

    public static MigrationResult Success(string id = "op-1", bool? verified = null) => new(
        id, "redis", "host-a", "host-b", "host-b", 2, OperationOutcome.Succeeded, null, null, null, 1240.1234, 5.23456,
        new Dictionary<MigrationPhase, double>
        {
            [MigrationPhase.Copy] = 1100.5,
            [MigrationPhase.Check] = 1.25,
            [MigrationPhase.RollBack] = 0,
        },
        new PauseBreakdown(3.1, 1.2, 0.4, 1.5, 1.1, 0.6, 0.4, 3),
        Transfer,
        verified);

    public static CheckpointResult Checkpoint { get; } = new(
        "op-1", "redis", "host-a", "warm", OperationOutcome.Succeeded, null, null, 812.5, 21.5, Package("warm") with { Kind = "package" });

    public static MigrationResult Failure(FabricErrorCode? code, OperationOutcome outcome = OperationOutcome.Failed) => new(
        "op-1", "redis", "host-a", "host-b", "host-a", 1, outcome, MigrationPhase.Copy, code, "The peer on host-b died.", 420.5, null,
        new Dictionary<MigrationPhase, double> { [MigrationPhase.Copy] = 400 }, null, Transfer, null);

    public static MigrationProgress Progress(
        long sequence, MigrationPhase phase = MigrationPhase.Copy, int rounds = 1, MigrationResult? result = null, string? message = null) => new(
        sequence, phase, sequence * 100, Transfer with { Rounds = rounds }, 1 << 20, 1.5 * (1 << 30), 3 << 20, message, result);

    public static FabricEvent Event(long sequence, string? vm = "redis") =>
        new(sequence, Start, "vm.started", vm, "host-a", null, 1, $"VM '{vm}' was started.");
}
