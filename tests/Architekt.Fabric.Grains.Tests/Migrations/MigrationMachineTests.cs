namespace Architekt.Fabric.Grains.Tests.Migrations;

public sealed class MigrationMachineTests
{
    private static readonly MigrationFailure Failure = new(MigrationPhase.Copy, FabricErrorCode.Failed, "the wire broke");

    public static TheoryData<MigrationAct> BeforeCommit =>
        [MigrationAct.Check, MigrationAct.Prepare, MigrationAct.Copy, MigrationAct.Suspend, MigrationAct.Switch];

    [Fact]
    public void Advance_EverythingDone_GoesThroughAllActsInOrder()
    {
        var state = MigrationMachine.Begin();
        var acts = new List<MigrationAct>();
        for (; state.Act != MigrationAct.End; state = MigrationMachine.Advance(state, ActResult.Done)) acts.Add(state.Act);

        Assert.Equal(
            [MigrationAct.Check, MigrationAct.Prepare, MigrationAct.Copy, MigrationAct.Suspend, MigrationAct.Switch, MigrationAct.Commit, MigrationAct.Run, MigrationAct.Clean],
            acts);
        Assert.True(state.IsCommitted);
        Assert.Equal(OperationOutcome.Succeeded, state.Outcome);
    }

    [Theory]
    [MemberData(nameof(BeforeCommit))]
    public void Advance_FailedBeforeCommit_WithdrawsAndKeepsTheFailure(MigrationAct act)
    {
        var state = MigrationMachine.Advance(At(act), ActResult.Failed, Failure);

        Assert.Equal(MigrationAct.Withdraw, state.Act);
        Assert.Same(Failure, state.Failure);
        Assert.False(state.IsCommitted);
        Assert.Equal(OperationOutcome.Running, state.Outcome);
    }

    [Theory]
    [InlineData(ActResult.Failed)]
    [InlineData(ActResult.Unknown)]
    public void Advance_CommitNotDone_WithdrawsBeforeAnybodyRuns(ActResult result) =>
        Assert.Equal(MigrationAct.Withdraw, MigrationMachine.Advance(At(MigrationAct.Commit), result, Failure).Act);

    [Fact]
    public void Advance_CommitDone_RunsAsCommitted()
    {
        var state = MigrationMachine.Advance(At(MigrationAct.Commit), ActResult.Done);

        Assert.Equal((MigrationAct.Run, true), (state.Act, state.IsCommitted));
    }

    [Fact]
    public void Advance_WithdrawnAndTakenOver_SaysThatInsteadOfWhatFailedFirst()
    {
        var lost = new MigrationFailure(MigrationPhase.Commit, FabricErrorCode.StaleEpoch, "it is somebody else's");

        var state = MigrationMachine.Advance(At(MigrationAct.Withdraw) with { Failure = Failure }, ActResult.Done, lost);

        Assert.Equal(MigrationAct.RollBack, state.Act);
        Assert.Same(lost, state.Failure);
    }

    [Fact]
    public void Advance_Withdrawn_RollsBackAndEndsAsFailed()
    {
        var state = MigrationMachine.Advance(At(MigrationAct.Withdraw) with { Failure = Failure }, ActResult.Done);
        Assert.Equal((MigrationAct.RollBack, false), (state.Act, state.IsCommitted));

        var end = MigrationMachine.Advance(state, ActResult.Done);
        Assert.Equal((MigrationAct.End, OperationOutcome.Failed), (end.Act, end.Outcome));
        Assert.Same(Failure, end.Failure);
    }

    [Theory]
    [InlineData(ActResult.Unknown)]
    [InlineData(ActResult.Failed)]
    public void Advance_WithdrawWithoutAnAnswer_AsksAgain(ActResult result)
    {
        var state = At(MigrationAct.Withdraw) with { Failure = Failure };

        Assert.Equal(state, MigrationMachine.Advance(state, result));
    }

    [Fact]
    public void Advance_WithdrawFindsTheCommit_RunsAndForgetsFailureAndCancellation()
    {
        var state = MigrationMachine.Advance(
            At(MigrationAct.Withdraw) with { Failure = Failure, IsCancelRequested = true }, ActResult.AlreadyCommitted);

        Assert.Equal(new MigrationState(MigrationAct.Run, IsCommitted: true, IsCancelRequested: false, Failure: null), state);
    }

    [Fact]
    public void Advance_RunUnknown_TriesAgain()
    {
        var state = At(MigrationAct.Run) with { IsCommitted = true };

        Assert.Equal(state, MigrationMachine.Advance(state, ActResult.Unknown, Failure));
    }

    [Fact]
    public void Advance_RunFailed_CleansAndEndsAsFailedYetCommitted()
    {
        var state = MigrationMachine.Advance(At(MigrationAct.Run) with { IsCommitted = true }, ActResult.Failed, Failure);
        Assert.Equal(MigrationAct.Clean, state.Act);

        var end = MigrationMachine.Advance(state, ActResult.Done);
        Assert.Equal((true, OperationOutcome.Failed), (end.IsCommitted, end.Outcome));
    }

    [Fact]
    public void Advance_CleanFailed_StillSucceeded() =>
        Assert.Equal(OperationOutcome.Succeeded, MigrationMachine.Advance(At(MigrationAct.Clean) with { IsCommitted = true }, ActResult.Failed, Failure).Outcome);

    [Fact]
    public void Advance_AfterTheEnd_ChangesNothing() =>
        Assert.Equal(At(MigrationAct.End), MigrationMachine.Advance(At(MigrationAct.End), ActResult.Failed, Failure));

    [Theory]
    [MemberData(nameof(BeforeCommit))]
    public void Cancel_BeforeCommit_IsHonouredEvenIfTheActWasDone(MigrationAct act)
    {
        var state = MigrationMachine.Advance(MigrationMachine.Cancel(At(act)), ActResult.Done);
        Assert.Equal(MigrationAct.Withdraw, state.Act);

        state = MigrationMachine.Advance(MigrationMachine.Advance(state, ActResult.Done), ActResult.Done);
        Assert.Equal((MigrationAct.End, OperationOutcome.Cancelled), (state.Act, state.Outcome));
    }

    [Theory]
    [InlineData(MigrationAct.Commit, false)]
    [InlineData(MigrationAct.Run, true)]
    [InlineData(MigrationAct.Clean, true)]
    [InlineData(MigrationAct.End, true)]
    [InlineData(MigrationAct.End, false)]
    public void Cancel_FromTheCommitOn_ChangesNothing(MigrationAct act, bool isCommitted)
    {
        var state = At(act) with { IsCommitted = isCommitted };

        Assert.False(MigrationMachine.CanCancel(state));
        Assert.Equal(state, MigrationMachine.Cancel(state));
    }

    [Theory]
    [InlineData(MigrationPhase.Run, MigrationAct.Run)]
    [InlineData(MigrationPhase.Clean, MigrationAct.Clean)]
    public void Recover_AfterTheCommit_DrivesForward(MigrationPhase recorded, MigrationAct act)
    {
        var state = MigrationMachine.Recover(recorded);

        Assert.Equal((act, true), (state.Act, state.IsCommitted));
        Assert.Null(state.Failure);
    }

    [Theory]
    [InlineData(MigrationPhase.Check)]
    [InlineData(MigrationPhase.Prepare)]
    [InlineData(MigrationPhase.Copy)]
    [InlineData(MigrationPhase.Suspend)]
    [InlineData(MigrationPhase.Switch)]
    [InlineData(MigrationPhase.Commit)]
    [InlineData(MigrationPhase.RollBack)]
    public void Recover_BeforeOrInTheCommit_WithdrawsFirst(MigrationPhase recorded)
    {
        var state = MigrationMachine.Recover(recorded);

        Assert.Equal((MigrationAct.Withdraw, false), (state.Act, state.IsCommitted));
        Assert.Equal(recorded, state.Failure!.Phase);
    }

    private static MigrationState At(MigrationAct act) => new(act, IsCommitted: false, IsCancelRequested: false, Failure: null);
}
