using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Runner.State;

/// <summary>A machine as it was when it ended.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="Record">What it is.</param>
internal sealed record MachineState(string Folder, MachineRecord Record)
{
    public string Memory => Path.Combine(Folder, PeerApi.CheckpointMemory);

    public string Devices => Path.Combine(Folder, PeerApi.CheckpointState);

    public string Disk => Path.Combine(Folder, PeerApi.CheckpointDisk);
}
