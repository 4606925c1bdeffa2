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

    /// <summary>A silo died between the start of a peer and that of its guest: nobody started it any more, and it counted as being started for ever.</summary>
    [Fact]
    public void SiloDiesBetweenPeerAndGuest_VmIsStartedByTheNextOne()
    {
        for (var delay = 0; delay < 20; delay++)
        {
            Holds(
                hasLease: false,
                isRestarted: true,
                new Happening(Kind.KillQemu, null, 0, IsAfter: false, 3 * Second, Place.Owner, 0),
                new Happening(Kind.KillSilo, Point.Restart, 1, IsAfter: true, delay * Second / 1000, Place.Owner, Second / 2));
        }
    }

    /// <summary>The disk had been renamed since its epoch was recorded, and the host took it for nobody's when it was back.</summary>
    [Fact]
    public void HostOfARestartedVmIsDeclaredDeadAndComesBack_VmHasItsDisk() => Holds(
        hasLease: false,
        isRestarted: true,
        new Happening(Kind.KillPeer, null, 0, IsAfter: false, 3 * Second, Place.Owner, 0),
        new Happening(Kind.DeclareDead, null, 0, IsAfter: false, 9 * Second, Place.Owner, Second / 20));

    /// <summary>The guest went on with the renewal, and the package held its RAM and its devices of different moments.</summary>
    [Fact]
    public void LeaseEndsAndIsRenewedDuringACheckpoint_PackageIsOfOneMoment() => Holds(
        hasLease: true,
        isRestarted: true,
        new Happening(Kind.LoseRequest, Point.Renew, 2, IsAfter: false, 0, Place.Source, 0),
        new Happening(Kind.DelayRequest, Point.Renew, 3, IsAfter: false, 0, Place.Source, 46 * Second / 10),
        new Happening(Kind.Checkpoint, null, 0, IsAfter: false, 143 * Second / 10, Place.Owner, 0));

    /// <summary>The first declaration, held up until the host was back, took its VM while that ran.</summary>
    [Fact]
    public void DeclarationOfADeadHostIsHeldUp_HostThatIsBackIsNotFenced() => Holds(
        hasLease: false,
        isRestarted: false,
        new Happening(Kind.DeclareDead, null, 0, IsAfter: false, 3 * Second, Place.Owner, 2 * Second),
        new Happening(Kind.DelayRequest, Point.DeclareDead, 1, IsAfter: false, 0, Place.Source, 40 * Second),
        new Happening(Kind.StartVm, null, 0, IsAfter: false, 20 * Second, Place.Owner, 0));

    private static void Holds(params Happening[] happenings) => Holds(hasLease: false, isRestarted: false, [Migrate, .. happenings]);

    private static void Holds(bool hasLease, bool isRestarted, params Happening[] happenings)
    {
        for (var seed = 0UL; seed < 50; seed++) Assert.Empty(Simulation.Run(new History(seed, happenings, hasLease, isRestarted)));
    }
}
