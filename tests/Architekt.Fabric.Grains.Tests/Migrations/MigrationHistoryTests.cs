using CsCheck;

namespace Architekt.Fabric.Grains.Tests.Migrations;

/// <summary>Random histories of the machine against a row that behaves as Postgres does: a commit and a withdrawal exclude each other.</summary>
public sealed class MigrationHistoryTests
{
    private const long Histories = 50_000;

    private enum Kind
    {
        Succeed,
        Fail,
        BeUnknown,
        Cancel,
        Die,
    }

    /// <param name="Kind">What happens.</param>
    /// <param name="ReachedTheRow">Of a commit that nobody has an answer to: whether it happened.</param>
    private sealed record Happening(Kind Kind, bool ReachedTheRow);

    private static readonly Gen<Happening[]> History = Gen.Select(
        Gen.Frequency((6, Gen.Const(Kind.Succeed)), (1, Gen.Const(Kind.Fail)), (1, Gen.Const(Kind.BeUnknown)), (1, Gen.Const(Kind.Cancel)), (1, Gen.Const(Kind.Die))),
        Gen.Bool,
        static (kind, reached) => new Happening(kind, reached)).Array[0, 40];

    [Fact]
    public void AnyHistory_SourceRunsOnlyIfItStaysTheOwner_DestinationOnlyIfItBecameOne() =>
        History.Sample(static history => new Replay().Run(history), iter: Histories);

    [Fact]
    public void AnyHistory_OfAnyResultsAtAll_KeepsItsTwoRules() =>
        Gen.Select(Gen.Enum<ActResult>(), Gen.Bool).Array[0, 60].Sample(
            static results =>
            {
                var state = MigrationMachine.Begin();
                foreach (var (result, cancel) in results)
                {
                    var before = cancel ? Cancelled(state) : state;
                    state = MigrationMachine.Advance(before, result);
                    if (state.Act == MigrationAct.RollBack && before.Act != MigrationAct.RollBack)
                        Assert.Equal((MigrationAct.Withdraw, ActResult.Done, false), (before.Act, result, before.IsCommitted));
                    if (state.Act is MigrationAct.Run or MigrationAct.Clean) Assert.True(state.IsCommitted);
                    if (before.IsCommitted) Assert.True(state.IsCommitted);
                }
            },
            iter: Histories);

    private static MigrationState Cancelled(MigrationState state)
    {
        var after = MigrationMachine.Cancel(state);
        if (state.IsCommitted || state.Act is MigrationAct.Commit or MigrationAct.End) Assert.Equal(state, after);
        Assert.Equal(state.Act, after.Act);
        return after;
    }

    private sealed class Replay
    {
        private MigrationState _state = MigrationMachine.Begin();
        private MigrationPhase _recorded = MigrationPhase.Check;
        private bool _rowIsCommitted;
        private bool _rowIsWithdrawn;
        private bool _sourceRuns = true;
        private bool _destinationRuns;

        public void Run(Happening[] history)
        {
            foreach (var happening in history) Step(happening);

            // From here on everybody answers. Withdraw and Run are the only acts that wait, so a dozen steps must do.
            for (var left = 12; _state.Act != MigrationAct.End; left--)
            {
                Assert.True(left > 0, $"the migration does not end: {_state}");
                Step(new Happening(Kind.Succeed, ReachedTheRow: true));
            }

            Assert.Equal(_rowIsCommitted, _state.IsCommitted);
            Assert.NotEqual(OperationOutcome.Running, _state.Outcome);
            if (_state.Outcome == OperationOutcome.Succeeded) Assert.True(_rowIsCommitted && _destinationRuns);
            if (_state.Outcome == OperationOutcome.Cancelled) Assert.False(_rowIsCommitted);
            if (!_rowIsCommitted) Assert.Equal((true, false), (_sourceRuns, _destinationRuns));
        }

        private void Step(Happening happening)
        {
            if (_state.Act == MigrationAct.End) return;
            if (happening.Kind == Kind.Cancel)
            {
                _state = Cancelled(_state);
                return;
            }

            if (_state.Act is not (MigrationAct.Commit or MigrationAct.Run or MigrationAct.Clean)) _recorded = _state.Phase;
            var result = Do(happening);
            if (happening.Kind == Kind.Die)
            {
                _state = _recorded == MigrationPhase.Check ? MigrationMachine.Begin() : MigrationMachine.Recover(_recorded);
                return;
            }

            _state = MigrationMachine.Advance(_state, result, result == ActResult.Done ? null : new MigrationFailure(_state.Phase, FabricErrorCode.Failed, "scripted"));
        }

        private ActResult Do(Happening happening)
        {
            var isDone = happening.Kind == Kind.Succeed || (happening.Kind is Kind.BeUnknown or Kind.Die && happening.ReachedTheRow);
            var result = happening.Kind switch { Kind.Succeed => ActResult.Done, Kind.Fail => ActResult.Failed, _ => ActResult.Unknown };
            switch (_state.Act)
            {
                case MigrationAct.Switch:
                    if (isDone) _sourceRuns = false;
                    return result;
                case MigrationAct.Commit:
                    Assert.False(_rowIsWithdrawn);
                    if (isDone) (_rowIsCommitted, _recorded) = (true, MigrationPhase.Run);
                    return result;
                case MigrationAct.Withdraw:
                    if (isDone && !_rowIsCommitted) _rowIsWithdrawn = true;
                    if (happening.Kind is Kind.Fail or Kind.BeUnknown) return ActResult.Unknown;
                    return _rowIsCommitted ? ActResult.AlreadyCommitted : ActResult.Done;
                case MigrationAct.RollBack:
                    Assert.True(_rowIsWithdrawn && !_rowIsCommitted, "the source runs although the row may still change hands");
                    Assert.False(_destinationRuns);
                    _sourceRuns = true;
                    return result;
                case MigrationAct.Run:
                    Assert.True(_rowIsCommitted && _state.IsCommitted, "the destination runs although it is not the owner");
                    Assert.False(_sourceRuns, "two copies run");
                    if (isDone) _destinationRuns = true;
                    return result;
                default:
                    return result;
            }
        }
    }
}
