namespace Architekt.Fabric.Faults.Matrix;

/// <summary>One of the two hosts of a migration.</summary>
internal enum Side
{
    Source,
    Destination,
}
