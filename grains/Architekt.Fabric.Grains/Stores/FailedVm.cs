namespace Architekt.Fabric.Grains;

/// <summary>A VM that ended through a fault and is to be started again.</summary>
/// <param name="Vm">The VM.</param>
/// <param name="Restarts">How often in a row it was started again.</param>
/// <param name="RanFor">How long its host had owned it with this epoch when it ended.</param>
/// <param name="FailedFor">How long ago it ended.</param>
public sealed record FailedVm(VmRecord Vm, int Restarts, TimeSpan RanFor, TimeSpan FailedFor);
