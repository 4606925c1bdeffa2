namespace Architekt.Fabric.Grains;

/// <summary>Names of the grain types that are pinned to hosts; stored in the grain directory, never renamed.</summary>
internal static class PinnedGrainTypes
{
    public const string Host = "host";
    public const string Package = "package";
    public const string Vm = "vm";
    public const string Migration = "migration";
    public const string Checkpoint = "checkpoint";
}
