namespace Architekt.Fabric.Peer;

/// <summary>Which processes belong to an instance. A process id counts only together with its start time (field 22 of proc(5) stat).</summary>
/// <param name="ApiVersion">API version of the peer.</param>
/// <param name="PeerPid">The peer.</param>
/// <param name="PeerStartTicks">Its start time.</param>
/// <param name="QemuPid">QEMU; 0 before it was started.</param>
/// <param name="QemuStartTicks">Its start time.</param>
/// <param name="GrantedEpoch">The epoch the guest was let run under; 0 if it never was.</param>
public sealed record PeerIdentity(int ApiVersion, int PeerPid, long PeerStartTicks, int QemuPid, long QemuStartTicks, long GrantedEpoch);
