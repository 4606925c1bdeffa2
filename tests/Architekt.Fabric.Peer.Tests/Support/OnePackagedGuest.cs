namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The classes that share the guest that was packaged.</summary>
[CollectionDefinition(Name)]
public sealed class OnePackagedGuest : ICollectionFixture<PackagedGuest>
{
    public const string Name = "packaged guest";
}
