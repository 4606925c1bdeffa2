using Architekt.Fabric.Grains.Tests.Fakes;
using CsCheck;

namespace Architekt.Fabric.Grains.Tests.Drains;

public sealed class DrainBoardTests
{
    private const long MiB = 1L << 20;
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Next_SeveralHostsHaveRoom_TakesTheLargestVmToTheRoomiest()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("small", 100), Vm("large", 300)], ("host-b", 400), ("host-c", 500));
        board.Look(view, Start);

        Assert.Equal(("large", "host-c"), Where(board.Next(view, Start)));
        Assert.Equal(("small", "host-b"), Where(board.Next(view, Start)));
    }

    [Fact]
    public void Next_OwnMovesHaveTakenTheRoom_DoesNotOverbook()
    {
        var board = Board(new DrainOptions(Parallel: 8));
        var view = View([Vm("one", 300), Vm("two", 300), Vm("three", 300)], ("host-b", 650));
        board.Look(view, Start);

        Assert.NotNull(board.Next(view, Start));
        Assert.NotNull(board.Next(view, Start));
        Assert.Null(board.Next(view, Start));
    }

    [Fact]
    public void Next_VmIsStopped_NeedsNoRoomAndComesLast()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("stopped", 900, VmState.Stopped), Vm("running", 10)], ("host-b", 10));
        board.Look(view, Start);

        Assert.Equal(("running", "host-b"), Where(board.Next(view, Start)));
        Assert.Equal(("stopped", "host-b"), Where(board.Next(view, Start)));
    }

    [Fact]
    public void TryFinish_NothingFits_SaysWhatWasMissing()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("large", 300)], ("host-b", 200));
        board.Look(view, Start);

        Assert.Null(board.Next(view, Start));
        Assert.True(board.TryFinish(view, Start));

        var vm = Assert.Single(board.Vms);
        Assert.Equal(DrainedVmState.NoRoom, vm.State);
        Assert.Contains("300 MiB", vm.Reason, StringComparison.Ordinal);
        Assert.Contains("200 MiB", vm.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Ended_Failed_TriesAnotherHostFirst()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100)], ("host-b", 900), ("host-c", 300));
        board.Look(view, Start);
        var first = board.Next(view, Start)!;
        Assert.Equal("host-b", first.Destination);

        board.Ended(Result(first, FabricErrorCode.Failed), Start);
        Assert.Null(board.Next(view, Start));
        Assert.False(board.TryFinish(view, Start));

        var second = board.Next(view, Start.AddSeconds(1))!;
        Assert.Equal("host-c", second.Destination);
        Assert.NotEqual(first.Operation, second.Operation);
    }

    [Fact]
    public void Ended_RefusedEverywhere_FailsWithTheReason()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100)], ("host-b", 900));
        board.Look(view, Start);
        board.Ended(Result(board.Next(view, Start)!, FabricErrorCode.Refused), Start);

        Assert.True(board.TryFinish(view, Start.AddSeconds(5)));
        var vm = Assert.Single(board.Vms);
        Assert.Equal(DrainedVmState.Failed, vm.State);
        Assert.Contains("the wire broke", vm.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Ended_FailsAgainAndAgain_GivesUp()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100)], ("host-b", 900), ("host-c", 900), ("host-d", 900), ("host-e", 900));
        var now = Start;
        board.Look(view, now);
        var attempts = 0;
        while (!board.TryFinish(view, now))
        {
            if (board.Next(view, now) is { } move)
            {
                attempts++;
                board.Ended(Result(move, FabricErrorCode.Failed), now);
            }

            now = now.AddSeconds(1);
            Assert.True(attempts <= DrainBoard.MaxAttempts);
        }

        Assert.Equal((DrainBoard.MaxAttempts, DrainedVmState.Failed), (attempts, Assert.Single(board.Vms).State));
    }

    [Fact]
    public void NotBegun_ForLongerThanItsPatience_GivesUp()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100)], ("host-b", 900));
        var now = Start;
        board.Look(view, now);
        while (!board.TryFinish(view, now))
        {
            if (board.Next(view, now) is { } move) board.NotBegun(move, "it is busy", now);
            now = now.AddSeconds(5);
            Assert.True(now - Start < TimeSpan.FromMinutes(5), "it never ends");
        }

        Assert.Equal((DrainedVmState.Failed, "it is busy", 0), Ending(board));
    }

    [Theory]
    [InlineData(true, "op-other", null, false)]
    [InlineData(false, null, VmState.Stopping, true)]
    public void TryFinish_VmCannotMoveNow_WaitsForAnOperationAndGivesUpOnAState(bool waits, string? operation, VmState? state, bool ends)
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100, state ?? VmState.Running) with { Operation = operation }], ("host-b", 900));
        board.Look(view, Start);
        Assert.Null(board.Next(view, Start));
        Assert.False(board.TryFinish(view, Start));

        var later = Start + (DrainBoard.Patience * 10);
        board.Look(view, later);

        Assert.Equal(ends, board.TryFinish(view, later));
        Assert.Equal(waits ? DrainedVmState.Waiting : DrainedVmState.Failed, Assert.Single(board.Vms).State);
    }

    [Fact]
    public void TryFinish_HostStaysSilent_GivesUp()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("redis", 100)], ("host-b", 900)) with { CanLeave = false };
        board.Look(view, Start);
        Assert.Null(board.Next(view, Start));
        Assert.False(board.TryFinish(view, Start));

        Assert.True(board.TryFinish(view, Start + DrainBoard.Patience + TimeSpan.FromSeconds(1)));
        Assert.Equal(DrainedVmState.Failed, Assert.Single(board.Vms).State);
    }

    [Fact]
    public void TryFinish_MigrationToTheHostIsUnderWay_WaitsForIt()
    {
        var board = Board(new DrainOptions());
        var view = View([], ("host-b", 900));
        board.Look(view with { IsExpecting = true }, Start);

        Assert.False(board.TryFinish(view with { IsExpecting = true }, Start));
        Assert.True(board.TryFinish(view, Start));
    }

    [Fact]
    public void Deadline_Passed_BeginsNothingAndKeepsWhatIsLeft()
    {
        var board = Board(new DrainOptions(Parallel: 1, DeadlineMs: 5000));
        var view = View([Vm("one", 100), Vm("two", 100)], ("host-b", 900));
        board.Look(view, Start);
        var move = board.Next(view, Start)!;
        var late = Start.AddSeconds(5);

        Assert.False(board.TryFinish(view, late));
        board.Ended(Result(move, code: null), late);
        Assert.Null(board.Next(view, late));
        Assert.True(board.TryFinish(view, late));

        Assert.Equal([DrainedVmState.Moved, DrainedVmState.Stayed], board.Vms.Select(vm => vm.State));
    }

    [Fact]
    public void Look_VmIsGone_HasLeft()
    {
        var board = Board(new DrainOptions());
        board.Look(View([Vm("redis", 100)]), Start);

        board.Look(View([]), Start);

        Assert.Equal(DrainedVmState.Left, Assert.Single(board.Vms).State);
    }

    [Fact]
    public void State_OfABoardWithMoves_GivesTheSameMoves()
    {
        var board = Board(new DrainOptions());
        var view = View([Vm("one", 100), Vm("two", 100)], ("host-b", 900));
        board.Look(view, Start);
        var moves = new[] { board.Next(view, Start)!, board.Next(view, Start)! };

        var again = new DrainBoard(new DrainPlan("op-drain", "host-a", new DrainOptions(), Start), board.State);

        Assert.Equal(moves.OrderBy(move => move.Vm), again.Moving);
    }

    [Fact]
    public void Operation_OfAVmWithALongName_IsANameAndAnotherForEachAttempt()
    {
        var name = new string('x', FabricNames.MaxNameLength);
        var board = Board(new DrainOptions());
        var view = View([Vm(name, 100)], ("host-b", 900));
        board.Look(view, Start);
        var first = board.Next(view, Start)!;
        board.Ended(Result(first, FabricErrorCode.Failed), Start);
        var second = board.Next(view, Start.AddMinutes(1))!;

        Assert.True(FabricNames.IsValid(first.Operation) && FabricNames.IsValid(second.Operation), $"{first.Operation}, {second.Operation}");
        Assert.NotEqual(first.Operation, second.Operation);
    }

    /// <summary>Whatever fails, and whenever: never too many at once, never more than a destination has, and it ends with everything accounted for.</summary>
    [Fact]
    public void AnyHistory_NeverOverbooksAndEnds() => Gen.Select(
        Gen.Long[1, 40].Array[0, 12], Gen.Long[0, 120].Array[1, 4], Gen.Int[1, 5], Gen.Int[0, 5].Array[100], Gen.Bool.Array[12]).Sample((sizes, rooms, parallel, fates, stopped) =>
    {
        var board = Board(new DrainOptions(parallel));
        var left = sizes.Select((size, index) => Vm($"vm-{index}", size, stopped[index % stopped.Length] ? VmState.Stopped : VmState.Running)).ToDictionary(vm => vm.Name);
        var free = rooms.Select((room, index) => ($"host-{index}", room)).ToDictionary(pair => pair.Item1, pair => pair.room);
        var moving = new List<DrainMove>();
        var now = Start;
        for (var step = 0; ; step++)
        {
            Assert.True(step < 1000, "it never ends");
            var view = View([.. left.Values], [.. free.Select(pair => (pair.Key, pair.Value))]);
            board.Look(view, now);
            while (board.Next(view, now) is { } move)
            {
                Assert.DoesNotContain(moving, other => other.Vm == move.Vm);
                moving.Add(move);
            }

            Assert.True(moving.Count <= parallel);
            foreach (var host in free)
                Assert.True(moving.Where(move => move.Destination == host.Key && left[move.Vm].State == VmState.Running).Sum(move => left[move.Vm].MemoryBytes) <= host.Value * MiB);
            if (board.TryFinish(view, now)) break;
            foreach (var move in moving.ToList())
            {
                var fate = fates[(step + move.Vm.Length + move.Operation.Length) % fates.Length];
                if (fate == 0) continue;
                moving.Remove(move);
                board.Ended(Result(move, fate == 1 ? FabricErrorCode.Failed : fate == 2 ? FabricErrorCode.Refused : null), now);
                if (fate < 3) continue;
                if (left[move.Vm].State == VmState.Running) free[move.Destination] -= left[move.Vm].MemoryBytes / MiB;
                left.Remove(move.Vm);
            }

            now = now.AddSeconds(1);
        }

        Assert.Equal(sizes.Length, board.Vms.Count);
        Assert.Equal(left.Keys.Order(), board.Vms.Where(vm => vm.State is DrainedVmState.NoRoom or DrainedVmState.Failed).Select(vm => vm.Vm).Order());
    });

    private static DrainBoard Board(DrainOptions options) => new(new DrainPlan("op-drain", "host-a", options, Start), DrainState.Begin);

    private static VmInfo Vm(string name, long mebibytes, VmState state = VmState.Running) => Samples.Vm(name, "host-a", state).Info with { MemoryBytes = mebibytes * MiB };

    private static DrainView View(IReadOnlyList<VmInfo> vms, params (string Host, long Mebibytes)[] free) => new(vms, free.ToDictionary(host => host.Host, host => host.Mebibytes * MiB));

    private static (string, string) Where(DrainMove? move) => (move!.Vm, move.Destination);

    private static (DrainedVmState, string?, int) Ending(DrainBoard board)
    {
        var vm = Assert.Single(board.Vms);
        return (vm.State, vm.Reason, vm.Attempts);
    }

    private static MigrationResult Result(DrainMove move, FabricErrorCode? code) => new(
        move.Operation, move.Vm, "host-a", move.Destination, code is null ? move.Destination : "host-a", 2,
        code is null ? OperationOutcome.Succeeded : OperationOutcome.Failed, null, code, code is null ? null : "the wire broke", 100, 5,
        new Dictionary<MigrationPhase, double>(), null, TransferCounters.None, null);
}
