using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Tests.Matrix;

public sealed class FaultMatrixTests
{
    [Fact]
    public void EveryPhase_HasAStage_InTheOrderOfThePhases()
    {
        Assert.Equal(Enum.GetValues<MigrationPhase>().Order(), Stage.All.Select(stage => stage.Phase).Distinct());
        Assert.Equal(Stage.All.Count, Stage.All.Select(stage => stage.Name).Distinct().Count());
    }

    [Fact]
    public void EveryPhase_MeetsEveryFault_ThatIsPossibleThere()
    {
        foreach (var phase in Enum.GetValues<MigrationPhase>())
        {
            var faults = FaultMatrix.All.Where(cell => cell.Stage.Phase == phase).Select(cell => cell.Fault).Distinct();
            var impossible = FaultTraits.All.Where(fault => Stage.Of(phase).All(stage => !new Cell(stage, fault).IsPossible)).ToList();
            Assert.Equal(FaultTraits.All.Except(impossible), faults);

            // What is missing is missing because there is no such process yet, or no longer.
            Assert.True(impossible.Count == 0 || phase is MigrationPhase.Check or MigrationPhase.Done);
            Assert.All(impossible, fault => Assert.Equal(phase == MigrationPhase.Check ? Side.Destination : Side.Source, fault.Target()));
        }
    }

    [Fact]
    public void OnlyTheDeathOfTheOnlyCopy_MayEndTheGuest()
    {
        foreach (var stage in Stage.All)
        {
            var deadly = FaultTraits.All.Where(fault => new Cell(stage, fault).MayEndGuest).ToList();
            Fault[] expected = stage.Guest switch
            {
                Side.Source => [Fault.KillSourcePeer, Fault.KillSourceQemu],
                Side.Destination => [Fault.KillDestinationPeer, Fault.KillDestinationQemu],
                _ => [],
            };
            Assert.Equal(expected, deadly);
        }
    }

    [Fact]
    public void TheCellsOfCi_MeetEachPhaseAndEachFault()
    {
        Assert.Equal(CiCells.All.Count, CiCells.All.Distinct().Count());
        Assert.Equal(Enum.GetValues<MigrationPhase>(), CiCells.All.Select(cell => cell.Stage.Phase).Distinct().Order());
        Assert.Equal(FaultTraits.All, CiCells.All.Select(cell => cell.Fault).Distinct().Order());
    }

    [Theory]
    [InlineData("all", null, true)]
    [InlineData("copy,run", null, true)]
    [InlineData("switch", null, true)]
    [InlineData("Switch", "cut-link", true)]
    [InlineData("switch-stopped", "kill-source-qemu", true)]
    [InlineData("all", "stop-postgres", true)]
    [InlineData("check", "kill-destination-peer", false)]
    [InlineData("nope", null, false)]
    [InlineData("switch", "nope", false)]
    public void Choose_ByNames_FindsCells(string stages, string? fault, bool finds)
    {
        var chosen = FaultMatrix.Choose(stages, fault);
        Assert.Equal(finds, chosen.Count > 0);
        Assert.All(chosen, cell => Assert.True(fault is null || cell.Fault.Name() == fault));
    }
}
