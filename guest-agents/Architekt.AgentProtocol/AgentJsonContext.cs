using System.Text.Json.Serialization;

namespace Architekt.AgentProtocol;

/// <summary>The generated serializers of the protocol's lines: camel case, absent instead of null, unknown fields ignored.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentRequest))]
[JsonSerializable(typeof(AgentReply))]
[JsonSerializable(typeof(AgentGreeting))]
[JsonSerializable(typeof(LivenessMessage))]
public sealed partial class AgentJsonContext : JsonSerializerContext;
