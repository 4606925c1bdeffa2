namespace Architekt.Fabric.Grains;

/// <summary>
/// Where a test may hold a migration: between two acts, which is where a process that dies leaves it. Nobody registers one but a silo that
/// was told to be part of a test.
/// </summary>
public interface IMigrationGate
{
    /// <summary>The migration is about to do <paramref name="act"/>; it goes on when this returns.</summary>
    Task PassAsync(string operation, MigrationAct act);
}
