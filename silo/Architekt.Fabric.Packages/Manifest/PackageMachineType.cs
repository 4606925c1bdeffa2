using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>The QEMU machine type a package was made for.</summary>
[JsonConverter(typeof(WordConverter<PackageMachineType>))]
public enum PackageMachineType
{
    /// <summary>A PC with PCI Express.</summary>
    Q35,

    /// <summary>QEMU's minimal machine.</summary>
    Microvm,
}
