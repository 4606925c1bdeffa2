namespace Architekt.Fabric.Runner;

/// <summary>What a suspended machine takes.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="Milliseconds">From the request until it was safe on the disk.</param>
/// <param name="MemoryBytes">Bytes of its RAM that are not zero.</param>
/// <param name="StateBytes">Bytes of its devices' state.</param>
/// <param name="DiskBytes">Bytes of its disk that are not hole.</param>
public sealed record RunSuspension(string Folder, double Milliseconds, long MemoryBytes, long StateBytes, long DiskBytes);
