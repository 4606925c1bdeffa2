using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Running;

/// <summary>What became of a cell.</summary>
/// <param name="Cell">Which.</param>
/// <param name="Outcome">How the migration ended; null if it did not.</param>
/// <param name="GuestLived">Whether the guest came through.</param>
/// <param name="Seconds">From the fault to the migration's end.</param>
/// <param name="QuietSeconds">From that until nothing was left of it.</param>
/// <param name="Failure">What was not as it must be; null if all was.</param>
internal sealed record CellResult(Cell Cell, string? Outcome, bool GuestLived, double? Seconds, double? QuietSeconds, string? Failure)
{
    /// <summary>The word in the matrix.</summary>
    public string Word => Failure is not null ? "FAILED" : Outcome is null ? "?" : Outcome.ToLowerInvariant() + (GuestLived ? "" : ", guest ended");
}
