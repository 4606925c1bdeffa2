using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>A migration that is held somewhere.</summary>
internal sealed record Migrating(FaultHost Source, FaultHost Destination, PeerIdentity? SourceProcesses, PeerIdentity? DestinationProcesses);
