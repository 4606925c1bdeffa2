namespace Architekt.Fabric.Packages;

/// <summary>A stretch of an entry's content: bytes, or zeros that are nowhere stored.</summary>
/// <param name="Data">The bytes. Whoever hands out segments overwrites them when asked for the next but one.</param>
/// <param name="Zeros">How many zeros, when there are no bytes.</param>
internal readonly record struct ContentSegment(ReadOnlyMemory<byte> Data, long Zeros)
{
    /// <summary>The most bytes in one segment.</summary>
    internal const int MaxData = 1024 * 1024;

    internal long Length => Data.Length + Zeros;
}
