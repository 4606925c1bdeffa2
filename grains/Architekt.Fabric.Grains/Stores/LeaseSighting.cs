namespace Architekt.Fabric.Grains;

/// <summary>The lease of a VM as a host other than its owner saw it.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="LeaseUntil">When it ends by the database's clock; null for a VM that nobody owns.</param>
public sealed record LeaseSighting(VmRecord Vm, DateTimeOffset? LeaseUntil)
{
    /// <summary>Whether nobody owns it, because its host was declared dead.</summary>
    public bool IsLost => Vm.Info.State == VmState.Lost;
}
