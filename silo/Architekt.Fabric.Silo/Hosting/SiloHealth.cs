namespace Architekt.Fabric.Silo;

/// <summary>Whether this silo is an active member of the cluster. Asks nobody: a health check must not depend on Postgres.</summary>
internal sealed class SiloHealth(IClusterMembershipService membership, ILocalSiloDetails local)
{
    public bool IsJoined => membership.CurrentSnapshot.GetSiloStatus(local.SiloAddress) == SiloStatus.Active;
}
