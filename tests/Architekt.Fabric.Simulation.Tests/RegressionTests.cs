using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Tests;

/// <summary>Histories that once broke something in the code that decides, as short as they were found.</summary>
public sealed class RegressionTests
{
    private const long Second = 1_000_000;
    private static readonly Happening Migrate = new(Kind.Migrate, null, 0, IsAfter: false, 0, Place.Destination, 0);

    /// <summary>The guest ran, and was recorded as failed for ever.</summary>
    [Fact]
    public void AnswerOfRunLost_VmThatRunsIsRecordedAsRunning() =>
        Holds(new Happening(Kind.LoseAnswer, Point.Run, 1, IsAfter: false, 0, Place.Source, 0));

    /// <summary>The client was told that the migration is cancelled, and it ended as failed.</summary>
    [Fact]
    public void PostgresLostWhileCancelling_NobodyIsToldMoreThanIsTrue()
    {
        for (var occurrence = 1; occurrence <= 6; occurrence++)
        {
            Holds(
                new Happening(Kind.Cancel, Point.SetPhase, occurrence, IsAfter: false, 0, Place.Source, 0),
                new Happening(Kind.StopPostgres, Point.SetPhase, occurrence, IsAfter: false, 0, Place.Source, 2 * Second));
        }
    }

    private static void Holds(params Happening[] happenings)
    {
        for (var seed = 0UL; seed < 50; seed++) Assert.Empty(Simulation.Run(new History(seed, [Migrate, .. happenings])));
    }
}
