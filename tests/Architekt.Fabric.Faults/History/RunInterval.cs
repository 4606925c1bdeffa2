namespace Architekt.Fabric.Faults.History;

/// <summary>A stretch of time in which one QEMU ran its guest. Times are the machine's, as all hosts share it.</summary>
/// <param name="Host">The host.</param>
/// <param name="Vm">The VM.</param>
/// <param name="Epoch">The epoch QEMU was started with.</param>
/// <param name="From">When it began, by QEMU's own trace.</param>
/// <param name="To">When it ended: by the trace, or when QEMU was last seen alive. Null while it runs.</param>
internal sealed record RunInterval(string Host, string Vm, long Epoch, DateTimeOffset From, DateTimeOffset? To)
{
    public override string ToString() => $"'{Vm}' with epoch {Epoch} on {Host} from {From:HH:mm:ss.ffffff} {(To is { } to ? $"to {to:HH:mm:ss.ffffff}" : "on")}";
}
