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
        _ => [],
    };

    private static Happening Upon(Kind kind, Point point, int occurrence, long duration) =>
        new(kind, point, occurrence, IsAfter: false, 0, Place.Source, duration);
}
