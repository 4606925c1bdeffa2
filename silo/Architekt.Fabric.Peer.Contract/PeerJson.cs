using System.Text.Json.Serialization;

namespace Architekt.Fabric.Peer;

/// <summary>JSON of the peer's API and files, generated at build time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PeerInstance))]
[JsonSerializable(typeof(PeerIdentity))]
[JsonSerializable(typeof(PeerExit))]
[JsonSerializable(typeof(PeerStatus))]
[JsonSerializable(typeof(PeerGrant))]
[JsonSerializable(typeof(PeerStop))]
[JsonSerializable(typeof(PeerLease))]
[JsonSerializable(typeof(PeerIncoming))]
[JsonSerializable(typeof(PeerOffer))]
[JsonSerializable(typeof(PeerCopy))]
[JsonSerializable(typeof(PeerTransfer))]
[JsonSerializable(typeof(PeerStep))]
[JsonSerializable(typeof(PeerSwitched))]
[JsonSerializable(typeof(PeerLoaded))]
[JsonSerializable(typeof(PeerRunning))]
[JsonSerializable(typeof(PeerReleased))]
[JsonSerializable(typeof(PeerFillMode))]
[JsonSerializable(typeof(PeerCheckpoint))]
[JsonSerializable(typeof(PeerCheckpointed))]
[JsonSerializable(typeof(PeerBaseName))]
[JsonSerializable(typeof(PeerError))]
public sealed partial class PeerJson : JsonSerializerContext;
