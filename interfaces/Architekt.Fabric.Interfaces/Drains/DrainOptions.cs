namespace Architekt.Fabric;

/// <summary>How to drain a host.</summary>
/// <param name="Parallel">VMs that move at the same time, 1 to 32. KubeVirt's limit for one node is 2, too: more share one wire and take longer each.</param>
/// <param name="DeadlineMs">
/// How long the drain may take, in ms, 1 second to 7 days; null is no limit. When it has passed nothing more is begun, and what has not been committed is cancelled.
/// </param>
/// <param name="To">The only hosts VMs may go to; null or empty allows all.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drain-options")]
public sealed record DrainOptions(int Parallel = 2, long? DeadlineMs = null, IReadOnlyList<string>? To = null)
{
    /// <summary>Throws <see cref="FabricErrorCode.InvalidArgument"/> naming the first option that is out of its range.</summary>
    public void Validate()
    {
        if (Parallel is < 1 or > 32) throw FabricException.Invalid("The number of VMs that move at the same time must be 1 to 32.");
        if (DeadlineMs is < 1000 or > 604_800_000) throw FabricException.Invalid("The drain's deadline is out of its range: 1 second to 7 days.");
        foreach (var host in To ?? []) FabricNames.Require(host, "host");
    }
}
