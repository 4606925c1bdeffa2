using Architekt.Fabric.Simulation.Histories;

namespace Architekt.Fabric.Simulation.Bugs;

/// <summary>
/// What must come together for a bug to do harm. Most do some in any few hundred histories; for those that need a rare coincidence, it happens for
/// certain, and everything else is left to chance.
/// </summary>
internal static class Precondition
{
    private const long Second = 1_000_000;

    public static Happening[] Of(SeededBug bug) => bug switch
    {
        // A row that is slow to arrive, and a commit that leaves time for what it leads to.
        SeededBug.RowReadBeforeStatus =>
        [
            Upon(Kind.DelayAnswer, Point.FindVm, 1, 2 * Second), Upon(Kind.DelayAnswer, Point.FindVm, 2, 2 * Second), Upon(Kind.DelayAnswer, Point.FindVm, 3, 2 * Second),
            Upon(Kind.DelayRequest, Point.Commit, 1, 2 * Second),
        ],

        // A death just between the loading and the commit.
        SeededBug.CommitWithoutConfirmation => [Upon(Kind.KillQemu, Point.Flush, 1, 0) with { Place = Place.Destination, IsAfter = true }],

        // Somebody who gives up, and asks again.
        SeededBug.EpochGivenBack => [Upon(Kind.Cancel, Point.Round, 1, 0)],

        // A restart between the commit and the grant.
        SeededBug.ServesBeforeAdoption =>
        [
            Upon(Kind.SplitDirectory, Point.Begin, 1, 40 * Second),
            Upon(Kind.KillSilo, Point.Run, 1, Second / 20) with { Place = Place.Destination, IsAfter = true },
        ],
        // Somebody who looks at the wrong moment.
        SeededBug.StartsWhileMoved => [ByForce, Upon(Kind.StartVm, Point.OfferDisk, 1, 0) with { IsAfter = true }],
        SeededBug.DiskTakenForWhole => [ByForce],
        SeededBug.CheckpointBesideMigration => [Upon(Kind.Checkpoint, Point.Suspend, 1, 0)],
        SeededBug.HalfPackageKept => [At(Kind.Checkpoint, Second / 2, 0), At(Kind.KillSilo, Second * 6 / 10, Second)],

        // Asked for in vain, again with success, and then the first one arrives.
        SeededBug.DeclaredDeadLate =>
        [
            At(Kind.DeclareDead, 3 * Second, 2 * Second), Upon(Kind.DelayRequest, Point.DeclareDead, 1, 40 * Second), At(Kind.StartVm, 20 * Second, 0),
        ],

        // Told while it was stopped, and not renewed after that.
        SeededBug.LeaseIsASpan => [At(Kind.StopPeer, 8 * Second, 12 * Second), At(Kind.CutPostgres, 27 * Second / 2, 40 * Second)],

        // The grace and what it was told too much are more than the margin.
        SeededBug.LeaseCountedFromAnswer =>
        [
            .. Enumerable.Range(1, 12).Select(static number => Upon(Kind.DelayAnswer, Point.Renew, number, 9 * Second / 2)),
            At(Kind.StopPeer, 20 * Second, 40 * Second), At(Kind.CutPostgres, 20 * Second, 40 * Second),
        ],
        SeededBug.NoMargin or SeededBug.NoDeadMansSwitch => [At(Kind.StopPeer, 6 * Second, 40 * Second), At(Kind.CutPostgres, 6 * Second, 40 * Second)],
        SeededBug.SwitchSleeps => [At(Kind.SuspendHost, 6 * Second, 40 * Second)],

        // A driver that wakes when the VM is another's.
        SeededBug.GoesOnWithoutLease =>
        [
            Upon(Kind.CutPostgres, Point.ConfirmLoaded, 2, 40 * Second), Upon(Kind.DelayAnswer, Point.ConfirmLoaded, 2, 28 * Second),
        ],
        SeededBug.TrustsDatabaseClock => [At(Kind.SetClock, 6 * Second, 40 * Second)],
        SeededBug.ClaimedWithoutCompare => [At(Kind.SuspendHost, 6 * Second, 40 * Second), Upon(Kind.DelayRequest, Point.Claim, 1, 4 * Second)],
        SeededBug.RenewalEndsHold =>
        [
            Upon(Kind.LoseRequest, Point.Renew, 2, 0), Upon(Kind.DelayRequest, Point.Renew, 3, 46 * Second / 10), At(Kind.Checkpoint, 143 * Second / 10, 0),
        ],
        SeededBug.RenewedWithoutCompare => [At(Kind.CutPostgres, 6 * Second, 40 * Second)],
        _ => [],
    };

    /// <summary>Whether it is about VMs with a lease; null if it is about any.</summary>
    public static bool? NeedsLease(SeededBug bug) => bug >= SeededBug.LeaseIsASpan ? true : null;

    private static Happening ByForce => At(Kind.StopVm, 0, 0) with { Place = Place.Third };

    private static Happening At(Kind kind, long delay, long duration) => new(kind, null, 0, IsAfter: false, delay, Place.Owner, duration);

    private static Happening Upon(Kind kind, Point point, int occurrence, long duration) =>
        new(kind, point, occurrence, IsAfter: false, 0, Place.Source, duration);
}
