namespace Architekt.Fabric.Memory;

/// <summary>A piece of a <see cref="PageRange"/> whose pages are all zero or all not.</summary>
/// <param name="Offset">First byte, counted from the start of the RAM.</param>
/// <param name="Length">Bytes.</param>
/// <param name="IsZero">True if every byte was zero, or the file has a hole there.</param>
public readonly record struct PageRun(long Offset, int Length, bool IsZero);
