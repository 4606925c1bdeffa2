namespace Architekt.Fabric.Grains;

/// <summary>What keeps a <see cref="MigrationDriver"/>: sees to it that a migration is taken up again when its driver is lost.</summary>
internal interface IMigrationKeeper
{
    /// <summary>Driving begins. Returns once somebody will take the migration up again, whatever becomes of this driver.</summary>
    Task BegunAsync(MigrationPlan plan);

    /// <summary>The migration has ended, and that is recorded.</summary>
    /// <param name="plan">The migration.</param>
    /// <param name="isCommitted">Whether the destination is the owner.</param>
    Task EndedAsync(MigrationPlan plan, bool isCommitted);

    /// <summary>This driver could not go on and is of no more use: whoever comes next needs a new one.</summary>
    void Lost();
}
