using System.Text.Json.Serialization;

namespace Architekt.InitConfiguration;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(GuestConfiguration))]
internal sealed partial class GuestJsonContext : JsonSerializerContext;
