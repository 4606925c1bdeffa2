using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

/// <summary>How a mirror follows the guest's writes (QEMU, qapi/block-core.json, <c>MirrorCopyMode</c>).</summary>
[JsonConverter(typeof(QmpEnumConverter<MirrorCopyMode>))]
public enum MirrorCopyMode
{
    /// <summary>Later: the guest may write faster than the mirror follows.</summary>
    Background,

    /// <summary>Before a write is acknowledged it is on both sides, so a ready mirror has nothing left to copy when the guest stops.</summary>
    WriteBlocking,
}
