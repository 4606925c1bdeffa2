using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>What a package is for.</summary>
[JsonConverter(typeof(WordConverter<PackageKind>))]
public enum PackageKind
{
    /// <summary>It boots: kernel, initramfs, disk.</summary>
    Blueprint,

    /// <summary>It resumes: a blueprint's entries, and the memory and device state of the machine at one moment.</summary>
    Package,
}
