using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

/// <summary>What a mirror copies (QEMU, qapi/block-core.json, <c>MirrorSyncMode</c>).</summary>
[JsonConverter(typeof(QmpEnumConverter<MirrorSync>))]
public enum MirrorSync
{
    /// <summary>The whole disk, its backing file included.</summary>
    Full,

    /// <summary>Only what the topmost image holds: for a destination that has the same backing file.</summary>
    Top,

    /// <summary>Nothing that is there already, only what is written from now on.</summary>
    None,
}
