namespace Architekt.Fabric.Packages;

/// <summary>A field in which two manifests differ.</summary>
/// <param name="Field">Its path in the manifest, such as <c>agentPorts.agent</c> or <c>labels.team</c>.</param>
/// <param name="First">The value in the first package as JSON; null if it has none.</param>
/// <param name="Second">The value in the second.</param>
public sealed record FieldDifference(string Field, string? First, string? Second);
