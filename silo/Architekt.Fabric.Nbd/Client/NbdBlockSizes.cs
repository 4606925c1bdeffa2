namespace Architekt.Fabric.Nbd;

/// <summary>Block size constraints of an export (proto.md, "Block size constraints").</summary>
/// <param name="Minimum">Requests are multiples of this.</param>
/// <param name="Preferred">Requests that are multiples of this are fast.</param>
/// <param name="Maximum">Longest read or write in bytes.</param>
public readonly record struct NbdBlockSizes(int Minimum, int Preferred, int Maximum);
