namespace Architekt.Fabric.Grains;

/// <summary>The strategy behind <see cref="HostPinnedAttribute"/>.</summary>
[GenerateSerializer, Immutable]
[Alias("architekt.host-pinned")]
internal sealed class HostPinnedPlacement : PlacementStrategy
{
    internal static HostPinnedPlacement Singleton { get; } = new();
}
