namespace Architekt.Fabric.Peer;

/// <summary>Body of <c>POST /v1/checkpoint</c>: writes down the guest as it is, to be resumed later.</summary>
/// <param name="Epoch">Must be the instance's own epoch.</param>
/// <param name="Operation">What it is done for; a call that repeats the one under way or the last gets its answer.</param>
/// <param name="Folder">An existing folder, where <see cref="PeerApi.CheckpointMemory"/>, <see cref="PeerApi.CheckpointState"/> and, if the VM has a disk, <see cref="PeerApi.CheckpointDisk"/> are made.</param>
/// <param name="KeepRunning">The guest goes on afterwards; otherwise it ends, as <see cref="PeerExitKind.Suspended"/>.</param>
public sealed record PeerCheckpoint(long Epoch, string Operation, string Folder, bool KeepRunning);
