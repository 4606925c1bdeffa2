namespace Architekt.Fabric.Peer.Migration;

/// <summary>What was sent of guest RAM.</summary>
/// <param name="Data">As bytes.</param>
/// <param name="Zero">As the fact that it is zero.</param>
internal readonly record struct PushedBytes(long Data, long Zero);
