namespace Architekt.Fabric.Packages;

/// <summary>How far an import is.</summary>
/// <param name="Entry">The entry being copied.</param>
/// <param name="BytesDone">Bytes of all entries copied and verified so far, holes included.</param>
/// <param name="BytesTotal">Bytes of all entries.</param>
public readonly record struct ImportProgress(string Entry, long BytesDone, long BytesTotal);
