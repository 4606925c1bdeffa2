namespace Architekt.Fabric;

/// <summary>A piece of a VM's console log.</summary>
/// <param name="Data">The bytes.</param>
/// <param name="NextOffset">Where to read on: offset in bytes from the start of the log of this ownership.</param>
/// <param name="Epoch">The ownership the log belongs to; a change means the log starts anew on another host.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.vm-log")]
public sealed record VmLog(byte[] Data, long NextOffset, long Epoch);
