namespace Architekt.Fabric.Qemu;

/// <summary>A CPU model QEMU knows (QEMU, qapi/machine-target.json, <c>CpuDefinitionInfo</c>).</summary>
public sealed record CpuDefinition
{
    /// <summary>Its name for <c>-cpu</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Features this host lacks for it; empty means it runs here, null that QEMU does not know.</summary>
    public IReadOnlyList<string>? UnavailableFeatures { get; init; }
}
