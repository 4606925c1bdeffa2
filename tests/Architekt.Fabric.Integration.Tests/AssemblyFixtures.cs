using Architekt.Fabric.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
