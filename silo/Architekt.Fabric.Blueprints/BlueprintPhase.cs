namespace Architekt.Fabric.Blueprints;

/// <summary>What the builder is doing.</summary>
public enum BlueprintPhase
{
    /// <summary>Looking at the source and checking digests.</summary>
    Inspect,

    /// <summary>Unpacking layers; counted in layers.</summary>
    Unpack,

    /// <summary>Getting the kernel and its modules, and making the initramfs.</summary>
    Kernel,

    /// <summary>Making the disk.</summary>
    Disk,

    /// <summary>Digesting the files and writing the manifest.</summary>
    Manifest,
}
