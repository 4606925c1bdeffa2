namespace Architekt.Fabric.Grains;

/// <summary>What a host says of a checkpoint it has made.</summary>
/// <param name="Package">The package in its store.</param>
/// <param name="PauseMs">How long the guest stood still, in ms.</param>
public sealed record CheckpointReport(PackageInfo Package, double PauseMs);
