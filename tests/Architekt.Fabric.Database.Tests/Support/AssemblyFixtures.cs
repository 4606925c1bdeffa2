using Architekt.Fabric.Testing;

[assembly: AssemblyFixture(typeof(PostgresServer))]
