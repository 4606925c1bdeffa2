namespace Architekt.Fabric.Peer.Checkpoints;

/// <summary>The files of a checkpoint; all of them or none are there in the end.</summary>
internal sealed class CheckpointFiles(string folder)
{
    public string Memory { get; } = Path.Combine(folder, PeerApi.CheckpointMemory);

    public string State { get; } = Path.Combine(folder, PeerApi.CheckpointState);

    public string Disk { get; } = Path.Combine(folder, PeerApi.CheckpointDisk);

    /// <summary>The guest's qcow2 as it was, for as long as the disk is made from it.</summary>
    public string Overlay { get; } = Path.Combine(folder, PeerApi.CheckpointDisk + ".qcow2");

    public IEnumerable<string> All => [Memory, State, Disk, Overlay];

    public void Delete()
    {
        foreach (var file in All) File.Delete(file);
    }
}
