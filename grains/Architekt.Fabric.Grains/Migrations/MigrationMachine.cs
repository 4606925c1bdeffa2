namespace Architekt.Fabric.Grains;

/// <summary>
/// The sequence of a migration as plain code: no I/O, no clock, no Orleans. It rests on two rules. Nobody runs before the commit, and the
/// source never runs after it: so the source goes on only from <see cref="MigrationAct.RollBack"/>, which is reached only through a
/// <see cref="MigrationAct.Withdraw"/> that said the commit has not happened and cannot happen any more.
/// </summary>
public static class MigrationMachine
{
    /// <summary>A migration that was just asked for. The reservation of the next epoch has been made.</summary>
    public static MigrationState Begin() => new(MigrationAct.Check, IsCommitted: false, IsCancelRequested: false, Failure: null);

    /// <summary>A migration whose driver died, taken up again from the phase it had recorded last.</summary>
    public static MigrationState Recover(MigrationPhase recorded) => recorded switch
    {
        MigrationPhase.Run => new(MigrationAct.Run, IsCommitted: true, IsCancelRequested: false, Failure: null),
        MigrationPhase.Clean => new(MigrationAct.Clean, IsCommitted: true, IsCancelRequested: false, Failure: null),
        MigrationPhase.Done => new(MigrationAct.End, IsCommitted: false, IsCancelRequested: false, Failure: null),
        _ => new(
            MigrationAct.Withdraw,
            IsCommitted: false,
            IsCancelRequested: false,
            new MigrationFailure(recorded, FabricErrorCode.Failed, "the silo that drove the migration ended in the middle of it")),
    };

    /// <summary>Whether a cancellation still counts: only before the commit is tried.</summary>
    public static bool CanCancel(MigrationState state) => !state.IsCommitted && state.Act is < MigrationAct.Commit or MigrationAct.Withdraw or MigrationAct.RollBack;

    /// <summary>Someone asks for the migration to be cancelled. The act under way is ended by its driver and reported as failed.</summary>
    public static MigrationState Cancel(MigrationState state) => CanCancel(state) ? state with { IsCancelRequested = true } : state;

    /// <summary>The act under way has a result; the returned state says what to do next.</summary>
    /// <param name="state">The state the act was done in.</param>
    /// <param name="result">What became of it.</param>
    /// <param name="failure">Why, unless it was done.</param>
    public static MigrationState Advance(MigrationState state, ActResult result, MigrationFailure? failure = null)
    {
        switch (state.Act)
        {
            case MigrationAct.Check or MigrationAct.Prepare or MigrationAct.Copy or MigrationAct.Suspend or MigrationAct.Switch:
                return result == ActResult.Done && !state.IsCancelRequested
                    ? state with { Act = state.Act + 1 }
                    : GiveUp(state, failure);

            case MigrationAct.Commit:
                return result == ActResult.Done
                    ? state with { Act = MigrationAct.Run, IsCommitted = true }
                    : GiveUp(state, failure);

            case MigrationAct.Withdraw:
                return result switch
                {
                    // A source that lost its VM explains whatever failed first.
                    ActResult.Done => state with { Act = MigrationAct.RollBack, Failure = failure ?? state.Failure },
                    ActResult.AlreadyCommitted => state with { Act = MigrationAct.Run, IsCommitted = true, IsCancelRequested = false, Failure = null },
                    _ => state,
                };

            case MigrationAct.Run:
                return result switch
                {
                    ActResult.Done => state with { Act = MigrationAct.Clean },
                    ActResult.Failed => state with { Act = MigrationAct.Clean, Failure = failure },
                    _ => state,
                };

            // What cannot be removed now is removed by the reconciler of the host it is on; the migration has its outcome.
            case MigrationAct.Clean:
                return state with { Act = MigrationAct.End };

            case MigrationAct.RollBack:
                return state with { Act = MigrationAct.End };

            default:
                return state;
        }
    }

    private static MigrationState GiveUp(MigrationState state, MigrationFailure? failure) => state with
    {
        Act = MigrationAct.Withdraw,
        Failure = failure ?? new MigrationFailure(state.Phase, FabricErrorCode.Cancelled, "it was cancelled"),
    };
}
