namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>
/// Knows VMs that were only there for a package to be made of them and of which none is being made: their silo ended before it could remove them, or before it had recorded what
/// they were for. Only the fabric makes VMs of such a name.
/// </summary>
internal static class AbandonedMaking
{
    /// <summary>Far more than lies between the record of such a VM and that of its operation, and than clocks of hosts differ.</summary>
    public static TimeSpan YoungestAge { get; } = TimeSpan.FromMinutes(1);

    public static bool Is(VmInfo vm, DateTimeOffset now) =>
        vm.Name.StartsWith(FabricNames.MakingPrefix, StringComparison.Ordinal) && vm.Operation is null && now - vm.CreatedAt > YoungestAge;
}
