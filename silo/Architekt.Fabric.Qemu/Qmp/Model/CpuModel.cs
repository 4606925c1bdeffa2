using System.Text.Json;

namespace Architekt.Fabric.Qemu;

/// <summary>A CPU model with its features (QEMU, qapi/machine-target.json, <c>CpuModelInfo</c>).</summary>
/// <param name="Name">Its name for <c>-cpu</c>.</param>
/// <param name="Props">Its properties: features are booleans, the rest numbers and strings.</param>
public sealed record CpuModel(string Name, IReadOnlyDictionary<string, JsonElement>? Props = null)
{
    /// <summary>Names of the features that are on, in ordinal order.</summary>
    public IReadOnlyList<string> EnabledFeatures() =>
        Props is null ? [] : [.. Props.Where(prop => prop.Value.ValueKind == JsonValueKind.True).Select(prop => prop.Key).Order(StringComparer.Ordinal)];
}
