namespace Architekt.Fabric.Grains;

/// <summary>A VM's row: the truth about it.</summary>
/// <param name="Info">What anyone may know; <see cref="VmInfo.Operation"/> is the operation that holds the reservation of the next epoch.</param>
/// <param name="Machine">What its machine is.</param>
public sealed record VmRecord(VmInfo Info, MachineDescription Machine)
{
    /// <summary>The epoch its disk is filed under on its host: an older one if it was started again in place and the disk has not been renamed yet.</summary>
    public long DiskEpoch { get; init; } = Info.Epoch;
}
