namespace Architekt.Fabric;

/// <summary>How an operation ended.</summary>
public enum OperationOutcome
{
    /// <summary>It has not ended.</summary>
    Running = 0,

    /// <summary>It did what was asked.</summary>
    Succeeded = 1,

    /// <summary>
    /// It did not; everything is as before, but for VMs that a drain has moved. Only a migration may fail after its commit, when the destination dies: then the result's owner is
    /// the destination.
    /// </summary>
    Failed = 2,

    /// <summary>It was cancelled; everything is as before, but for VMs that a drain has moved.</summary>
    Cancelled = 3,
}
