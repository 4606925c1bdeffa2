using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo.Tests.Support;

internal static class Rows
{
    public static VmRecord Vm(string name, string host, long epoch, VmState state = VmState.Running, string? operation = null, long? diskEpoch = null) => new(
        new VmInfo(name, state, null, host, epoch, "package", "sha256-0", 1, 1 << 20, null, operation, default, default),
        new MachineDescription("package", "sha256-0", "q35", "tcg", "max", 1, 1 << 20, "", null, "7.2.0", HasAgent: true))
    {
        DiskEpoch = diskEpoch ?? epoch,
    };
}
