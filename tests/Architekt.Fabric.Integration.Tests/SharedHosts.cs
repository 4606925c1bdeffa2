namespace Architekt.Fabric.Integration.Tests;

/// <summary>The classes that share one fabric. Each of their tests leaves it as it found it: both silos up, the guest running on either host, nothing else.</summary>
[CollectionDefinition]
public sealed class SharedHosts : ICollectionFixture<TwoHosts>;
