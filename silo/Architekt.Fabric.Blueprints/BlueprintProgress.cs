namespace Architekt.Fabric.Blueprints;

/// <summary>How far a build is.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">How many of the phase's steps are done.</param>
/// <param name="Total">How many steps the phase has.</param>
public readonly record struct BlueprintProgress(BlueprintPhase Phase, int Done, int Total);
