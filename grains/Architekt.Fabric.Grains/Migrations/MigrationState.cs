namespace Architekt.Fabric.Grains;

/// <summary>Where a migration is: the state of <see cref="MigrationMachine"/>.</summary>
/// <param name="Act">What has to be done next.</param>
/// <param name="IsCommitted">Whether the destination is known to be the owner.</param>
/// <param name="IsCancelRequested">Whether someone asked for it to be cancelled, in time.</param>
/// <param name="Failure">What went wrong first; null if nothing has.</param>
public sealed record MigrationState(MigrationAct Act, bool IsCommitted, bool IsCancelRequested, MigrationFailure? Failure)
{
    /// <summary>The phase the act belongs to.</summary>
    public MigrationPhase Phase => Act switch
    {
        MigrationAct.Check => MigrationPhase.Check,
        MigrationAct.Prepare => MigrationPhase.Prepare,
        MigrationAct.Copy => MigrationPhase.Copy,
        MigrationAct.Suspend => MigrationPhase.Suspend,
        MigrationAct.Switch => MigrationPhase.Switch,
        MigrationAct.Commit => MigrationPhase.Commit,
        MigrationAct.Run => MigrationPhase.Run,
        MigrationAct.Clean => MigrationPhase.Clean,
        MigrationAct.Withdraw or MigrationAct.RollBack => MigrationPhase.RollBack,
        _ => MigrationPhase.Done,
    };

    /// <summary>How it ends if it ends now.</summary>
    public OperationOutcome Outcome => this switch
    {
        { Act: not MigrationAct.End } => OperationOutcome.Running,
        { IsCommitted: true, Failure: null } => OperationOutcome.Succeeded,
        { IsCommitted: false, IsCancelRequested: true } => OperationOutcome.Cancelled,
        _ => OperationOutcome.Failed,
    };
}
