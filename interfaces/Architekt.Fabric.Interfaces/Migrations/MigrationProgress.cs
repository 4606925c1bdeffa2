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
/// <param name="PulledBytes">What the destination has of a package that it lacked and pulls, in bytes, holes included.</param>
/// <param name="PackageBytes">Size of that package, in bytes; 0 if there is nothing to pull, or its size is not known yet.</param>
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
    MigrationResult? Result,
    long PulledBytes = 0,
    long PackageBytes = 0);
