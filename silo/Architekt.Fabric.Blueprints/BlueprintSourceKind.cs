namespace Architekt.Fabric.Blueprints;

/// <summary>What a source is.</summary>
public enum BlueprintSourceKind
{
    /// <summary>Found out by looking at it.</summary>
    Detect,

    /// <summary>An OCI image layout (image-spec, image-layout.md) as a folder or a tar, or what <c>docker save</c> writes.</summary>
    Image,

    /// <summary>A tar of a root file system. It says nothing of what to start: options must, or it has <c>/sbin/init</c>.</summary>
    RootTar,
}
