namespace Architekt.Fabric.Peer;

/// <summary>The process an instance ends with.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="StartTicks">Its start time, field 22 of proc(5) stat.</param>
public sealed record PeerKeeper(int Pid, long StartTicks);
