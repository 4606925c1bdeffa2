namespace Architekt.Fabric.Client.Tests.Fakes;

internal static class Samples
{
    public static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static VmInfo Vm(string name = "redis", VmState state = VmState.Running, string host = "host-a", long epoch = 1) => new(
        name, state, null, host, epoch, "redis-guest", "sha256-" + new string('a', 64), 1, 256L << 20, "52:54:00:00:00:01", null, Start, Start);

    public static HostInfo Host(string name) => new(
        name, HostState.Ready, "192.0.2.1", 4, 8L << 30, 0, 0, "tcg", "7.2.0", "6.18", LiveMigration: true, null, "0.1.0", Start);

    public static PackageInfo Package(string host, string name) => new(
        host, name, "sha256-" + new string('b', 64), "blueprint", "x86_64", "q35", 1, 256L << 20, 1000, Start, []);

    public static OperationInfo Operation(string id, OperationOutcome outcome = OperationOutcome.Running) => new(
        id, "migrate", "redis", "host-a", "host-b", 2, MigrationPhase.Copy, outcome, null, Start, null);

    public static MigrationResult Result(string id, OperationOutcome outcome = OperationOutcome.Succeeded) => new(
        id, "redis", "host-a", "host-b", "host-b", 2, outcome, null, null, null, 1234.5, 5.25,
        new Dictionary<MigrationPhase, double> { [MigrationPhase.Copy] = 1200 },
        new PauseBreakdown(1, 2, 3, 4, 5, 6, 7, 8),
        new TransferCounters(3, 100, 200, 300, 400, 500, 60), true);

    public static MigrationProgress Progress(long sequence, MigrationResult? result = null) => new(
        sequence, result is null ? MigrationPhase.Copy : MigrationPhase.Done, sequence * 10, TransferCounters.None, 0, 0, 0, null, result);

    public static FabricEvent Event(long sequence, DateTimeOffset? at = null) =>
        new(sequence, at ?? Start, "vm.started", "redis", "host-a", null, 1, $"Event {sequence}.");
}
