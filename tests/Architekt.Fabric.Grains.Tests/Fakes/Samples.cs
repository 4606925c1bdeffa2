namespace Architekt.Fabric.Grains.Tests.Fakes;

internal static class Samples
{
    public const string PackageName = "redis-guest";

    public static readonly string Digest = "sha256-" + new string('a', 64);

    public static MachineDescription Machine { get; } =
        new(PackageName, Digest, "q35", "tcg", "max", 1, 256L << 20, "console=ttyS0", null, "7.2.0", HasAgent: true);

    public static TransferCounters Transfer { get; } = new(1, 4096, 0, 0, 0, 100, 10);

    public static SwitchReport Switch(string? digest) => new(5, 1, 0.5, 2, 1, Transfer with { Rounds = 3 }, digest);

    public static PackageInfo Package(string host) =>
        new(host, PackageName, Digest, "blueprint", "x86_64", "q35", 1, 256L << 20, 1 << 20, DateTimeOffset.UnixEpoch, []);

    public static HostInfo Host(string name) => new(
        name, HostState.Unreachable, "192.0.2.1", 4, 8L << 30, 0, 0, "tcg", "7.2.0", "6.18", LiveMigration: true, null, "0.1.0", DateTimeOffset.UnixEpoch);

    public static VmRecord Vm(string name, string host, VmState state = VmState.Running, long epoch = 1) => new(
        new VmInfo(name, state, null, host, epoch, PackageName, Digest, 1, 256L << 20, null, null, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch), Machine);
}
