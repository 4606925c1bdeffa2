namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A migration that succeeded.</summary>
internal sealed record Migrated(TestPeer Source, TestPeer Destination, PeerSwitched Switched, PeerLoaded Loaded, PeerRunning Running);
