using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Database;

/// <summary>The form of the jsonb columns: camel case, enums by name. Stored rows outlive programs, so names in it are never changed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(MachineDescription))]
[JsonSerializable(typeof(MigrationPlan))]
[JsonSerializable(typeof(MigrationResult))]
[JsonSerializable(typeof(CheckpointPlan))]
[JsonSerializable(typeof(CheckpointResult))]
[JsonSerializable(typeof(DrainPlan))]
[JsonSerializable(typeof(DrainState))]
[JsonSerializable(typeof(DrainResult))]
internal sealed partial class DatabaseJson : JsonSerializerContext
{
    internal static string Write<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.Serialize(value, type);

    internal static T Read<T>(string json, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(json, type)
        ?? throw new FabricException(Architekt.Fabric.FabricErrorCode.Internal, $"A stored {typeof(T).Name} is null; the row was changed by hand.");
}
