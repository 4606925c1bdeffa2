namespace Architekt.Fabric.Cli.Output;

/// <summary>How far something that goes through bytes is.</summary>
/// <param name="Done">Bytes gone through.</param>
/// <param name="Total">Bytes to go through; 0 while that is not known.</param>
internal readonly record struct ByteProgress(long Done, long Total);
