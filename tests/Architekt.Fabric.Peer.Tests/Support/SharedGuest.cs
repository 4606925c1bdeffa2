namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The classes that share the one guest.</summary>
[CollectionDefinition(Name)]
public sealed class SharedGuest : ICollectionFixture<MigratingGuest>, ICollectionFixture<PackagedGuest>
{
    public const string Name = "guest";
}
