namespace Architekt.Fabric.Packages;

/// <summary>The names of the virtio-serial ports the guest's agents listen on; null where the guest has no such agent.</summary>
public sealed record AgentPorts
{
    /// <summary>Where the guest says that it is up.</summary>
    public string? Liveness { get; init; }

    /// <summary>Where the guest is told about suspend and resume.</summary>
    public string? Agent { get; init; }
}
