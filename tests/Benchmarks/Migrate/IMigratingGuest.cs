using System.Net;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>A Redis guest that can be moved to the other host.</summary>
internal interface IMigratingGuest
{
    IPEndPoint Redis { get; }

    Task<MigrationNumbers> MigrateAsync(CancellationToken cancellationToken);

    /// <summary>Replaces a guest that was damaged.</summary>
    Task RestartAsync(CancellationToken cancellationToken);
}
