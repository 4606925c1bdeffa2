using System.Globalization;
using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Running;

/// <summary>What became of a cell.</summary>
/// <param name="Cell">Which.</param>
/// <param name="Outcome">How the migration ended; null if it did not.</param>
/// <param name="GuestLived">Whether the guest came through.</param>
/// <param name="Seconds">From the fault to the migration's end.</param>
/// <param name="QuietSeconds">From that until nothing was left of it.</param>
/// <param name="GapSeconds">The longest time between two acknowledgements the client saw, the second migration included; null if the guest ended.</param>
/// <param name="Failure">What was not as it must be; null if all was.</param>
internal sealed record CellResult(Cell Cell, string? Outcome, bool GuestLived, double? Seconds, double? QuietSeconds, double? GapSeconds, string? Failure)
{
    /// <summary>What the matrix says of it.</summary>
    public string Summary => this switch
    {
        { Failure: not null } => "FAILED",
        { GuestLived: false } => $"{Outcome?.ToLowerInvariant()}, guest ended",
        _ => string.Create(CultureInfo.InvariantCulture, $"{Outcome?.ToLowerInvariant()}, {GapSeconds:0.0} s"),
    };
}
