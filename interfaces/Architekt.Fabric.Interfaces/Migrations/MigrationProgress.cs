namespace Architekt.Fabric;

/// <summary>Where a migration is.</summary>
/// <param name="Sequence">Grows with each report of one migration; a watcher that reconnects skips what it has seen.</param>
/// <param name="Phase">The phase it is in.</param>
/// <param name="ElapsedMs">Since it began, in ms.</param>
/// <param name="Transfer">What was moved so far.</param>
/// <param name="RemainingBytes">Memory known to be still to send, in bytes.</param>
/// <param name="BytesPerSecond">Rate of the current or last round.</param>
/// <param name="DirtyBytesPerSecond">How fast the guest writes memory.</param>
/// <param name="Message">Something worth saying, or null.</param>
/// <param name="Result">The outcome; only in the last report.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.migration-progress")]
public sealed record MigrationProgress(
    long Sequence,
    MigrationPhase Phase,
    double ElapsedMs,
    TransferCounters Transfer,
    long RemainingBytes,
    double BytesPerSecond,
    double DirtyBytesPerSecond,
    string? Message,
    MigrationResult? Result);
