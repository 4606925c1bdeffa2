namespace Architekt.Fabric.Packages;

/// <summary>How far an import, an export, a verification or a comparison is.</summary>
/// <param name="Entry">The entry being read.</param>
/// <param name="BytesDone">Bytes of all entries gone through so far, holes included.</param>
/// <param name="BytesTotal">Bytes of all entries.</param>
public readonly record struct PackageProgress(string Entry, long BytesDone, long BytesTotal);
