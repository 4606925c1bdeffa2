namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>What one migration says of itself.</summary>
/// <param name="TotalMs">From the request, or the start of the destination's QEMU, until the source is gone.</param>
/// <param name="PauseMs">From the source's STOP to the destination's RESUME.</param>
/// <param name="BytesOnWire">Payload bytes between the hosts.</param>
internal sealed record MigrationNumbers(double TotalMs, double PauseMs, long BytesOnWire);
