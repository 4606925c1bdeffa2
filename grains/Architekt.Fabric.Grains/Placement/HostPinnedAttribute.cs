using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>Places a grain on the silo of the host it belongs to.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class HostPinnedAttribute() : PlacementAttribute(HostPinnedPlacement.Singleton);
