using Architekt.Fabric.Simulation.Peers;
using Architekt.Fabric.Simulation.Scheduling;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>The folder in which a package is made: its maker's until it is complete, and nobody's once that has died.</summary>
internal sealed class Draft(string name, SimProcess maker)
{
    public string Name => name;

    public SimProcess Maker => maker;

    /// <summary>Somebody has removed the folder.</summary>
    public bool IsGone { get; set; }

    public long[] Pages { get; } = new long[SimGuest.Pages];

    /// <summary>The last number written when the devices were saved.</summary>
    public long State { get; set; } = -1;

    /// <summary>The last number on the disk that was copied.</summary>
    public long Disk { get; set; } = -1;

    /// <summary>Whether RAM, devices and disk are of one moment.</summary>
    public bool IsWhole => State >= 0 && Disk == State && !Pages.Where((content, page) => content != SimGuest.LastWrittenTo(page, State)).Any();
}
