namespace Architekt.Fabric.Faults.History;

/// <summary>The truth about a VM.</summary>
internal sealed record VmRow(string Host, long Epoch, string State, string? Reason, string? ReservedBy)
{
    /// <summary>It has no processes any more.</summary>
    public bool HasEnded => State is nameof(VmState.Failed) or nameof(VmState.Stopped);
}
