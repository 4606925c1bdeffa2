using System.Text.Json.Serialization;

namespace Architekt.Fabric.Runner.State;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(MachineRecord))]
[JsonSerializable(typeof(RunRecord))]
internal sealed partial class RunnerJson : JsonSerializerContext;
