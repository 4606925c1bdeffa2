namespace Architekt.Fabric.Grains;

/// <summary>Which hosts are cordoned, and the record of drains, which are operations on a host. At most one runs per host.</summary>
public interface IDrainStore
{
    /// <summary>
    /// Marks a host as closed to VMs or as open, with its event if that changes anything. False if there is no such host. Throws
    /// <see cref="FabricErrorCode.Conflict"/> if it is to be opened while it is drained.
    /// </summary>
    Task<bool> SetCordonedAsync(string host, bool isCordoned, CancellationToken cancellationToken);

    /// <summary>
    /// Cordons the host and records the drain in one transaction. With an id that is known already, returns what is recorded. Throws
    /// <see cref="FabricErrorCode.NotFound"/> if there is no such host and <see cref="FabricErrorCode.Conflict"/> naming the drain that is under way.
    /// </summary>
    Task<OperationInfo> BeginAsync(DrainPlan plan, CancellationToken cancellationToken);

    /// <summary>What the drain was asked to do, or null if there is none of that id.</summary>
    Task<DrainPlan?> FindPlanAsync(string id, CancellationToken cancellationToken);

    /// <summary>What it has recorded of its way.</summary>
    Task<DrainState> ReadStateAsync(string id, CancellationToken cancellationToken);

    /// <summary>Records its way. Throws <see cref="FabricErrorCode.Conflict"/> if it has ended: somebody else has driven it on.</summary>
    Task WriteStateAsync(string id, DrainState state, CancellationToken cancellationToken);

    /// <summary>How the drain ended, or null.</summary>
    Task<DrainResult?> FindResultAsync(string id, CancellationToken cancellationToken);

    /// <summary>Records the end, with its event. Does nothing if it has ended before.</summary>
    Task EndAsync(DrainResult result, CancellationToken cancellationToken);
}
