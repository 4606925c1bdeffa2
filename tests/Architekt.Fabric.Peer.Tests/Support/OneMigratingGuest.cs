namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>The classes that share the guest that is moved about.</summary>
[CollectionDefinition(Name)]
public sealed class OneMigratingGuest : ICollectionFixture<MigratingGuest>
{
    public const string Name = "migrating guest";
}
