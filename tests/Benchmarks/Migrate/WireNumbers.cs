namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>What one migration of a guest that was resumed from its package took, beside stock QEMU's of the same guest; bytes.</summary>
/// <param name="FreshBytes">Written to the guest since it was started.</param>
/// <param name="OnWire">What the fabric sent.</param>
/// <param name="InBase">RAM that was not sent because the destination had it in the package.</param>
/// <param name="Skipped">RAM that was not sent because it never held anything.</param>
/// <param name="Base">What the destination had: <c>package</c>, or null for nothing.</param>
/// <param name="StockOnWire">What stock QEMU sent.</param>
internal sealed record WireNumbers(long FreshBytes, long OnWire, long InBase, long Skipped, string? Base, long StockOnWire);
