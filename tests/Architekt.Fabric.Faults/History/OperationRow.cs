namespace Architekt.Fabric.Faults.History;

/// <summary>What is recorded of an operation.</summary>
/// <param name="Outcome">How it ended, or Running.</param>
/// <param name="Phase">The phase it is in.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Epoch">The epoch its destination was given.</param>
/// <param name="Ends">How often its end was recorded.</param>
internal sealed record OperationRow(string Outcome, string Phase, string? Reason, double? Seconds, long Epoch, long Ends);
