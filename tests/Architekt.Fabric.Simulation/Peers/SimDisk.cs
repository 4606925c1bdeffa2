namespace Architekt.Fabric.Simulation.Peers;

/// <summary>A guest's disk. The guest writes each of its numbers there as well, so the last one tells what it holds.</summary>
internal sealed class SimDisk
{
    /// <summary>What a disk holds of which one part is older than another.</summary>
    public const long Torn = -1;

    /// <summary>The last number written to it; 0 as it comes from the package.</summary>
    public long Content { get; set; }
}
