using CsCheck;

namespace Architekt.Fabric.Simulation.Histories;

/// <summary>What happens, and the seed of all that is left to chance: together they decide a history completely.</summary>
/// <param name="Seed">Seed of latencies, of what a disturbed link loses, and so on.</param>
/// <param name="Happenings">What happens.</param>
/// <param name="HasLease">Whether the VM may only run under a lease, and goes on elsewhere when its host is lost.</param>
/// <param name="IsRestarted">Whether the VM is started again when it has failed, elsewhere if its host is dead; one with a lease is in any case.</param>
internal sealed record History(ulong Seed, Happening[] Happenings, bool HasLease = false, bool IsRestarted = false)
{
    private const long Millisecond = 1000;

    private static readonly long[] Durations =
        [5 * Millisecond, 50 * Millisecond, 400 * Millisecond, 2_000 * Millisecond, 6_000 * Millisecond, 14_000 * Millisecond, 40_000 * Millisecond];

    private static readonly Gen<long> Duration = Gen.Int[0, 6].Select(static number => Durations[number]);

    private static readonly Gen<Kind> OnAMessage = Gen.Frequency(
        (4, Gen.Const(Kind.LoseRequest)), (8, Gen.Const(Kind.LoseAnswer)), (8, Gen.Const(Kind.DelayRequest)), (5, Gen.Const(Kind.DelayAnswer)));

    private static readonly Gen<Kind> Anything = Gen.Frequency(
        (6, Gen.Const(Kind.Migrate)), (3, Gen.Const(Kind.Checkpoint)), (2, Gen.Const(Kind.StopVm)), (2, Gen.Const(Kind.StartVm)), (1, Gen.Const(Kind.DeclareDead)), (3, Gen.Const(Kind.Retry)), (5, Gen.Const(Kind.Cancel)),
        (8, Gen.Const(Kind.KillSilo)), (6, Gen.Const(Kind.StopSilo)), (3, Gen.Const(Kind.KillPeer)), (3, Gen.Const(Kind.StopPeer)),
        (2, Gen.Const(Kind.KillQemu)), (1, Gen.Const(Kind.KillHost)), (4, Gen.Const(Kind.CutLink)), (4, Gen.Const(Kind.DisturbLink)),
        (3, Gen.Const(Kind.StopPostgres)), (3, Gen.Const(Kind.CutPostgres)), (4, Gen.Const(Kind.SlowPostgres)), (6, Gen.Const(Kind.SplitDirectory)), (2, Gen.Const(Kind.SuspendHost)), (1, Gen.Const(Kind.SetClock)));

    // Where most can go wrong, more often.
    private static readonly Gen<Point> APoint = Gen.Frequency(
        (2, Gen.Int[0, (int)Point.Other - 1].Select(static number => (Point)number)),
        (3, Gen.OneOf(
            Gen.Const(Point.Prepare), Gen.Const(Point.Switch), Gen.Const(Point.Flush), Gen.Const(Point.ConfirmLoaded), Gen.Const(Point.Commit), Gen.Const(Point.Withdraw), Gen.Const(Point.Run),
            Gen.Const(Point.RollBack), Gen.Const(Point.Discard), Gen.Const(Point.FindVm), Gen.Const(Point.SetPhase))));

    private static readonly Gen<Place> APlace = Gen.Enum<Place>();

    private static readonly Gen<int> Occurrence = Gen.Frequency((6, Gen.Const(1)), (2, Gen.Const(2)), (1, Gen.Const(3)));

    private static readonly Gen<long> Shortly = Gen.Frequency<long>(
        (2, Gen.Const(0L)), (3, Gen.Long[0, 20 * Millisecond]), (1, Gen.Long[0, 1_500 * Millisecond]));

    private static readonly Gen<Happening> ToAMessage = Gen.Select(
        OnAMessage, APoint, Occurrence, Duration,
        static (kind, at, occurrence, duration) => new Happening(kind, at, occurrence, IsAfter: false, 0, Place.Source, duration));

    private static readonly Gen<Happening> UponAMessage = Gen.Select(
        Anything, APoint, Occurrence, Gen.Bool, Shortly, APlace, Duration,
        static (kind, at, occurrence, isAfter, delay, place, duration) => new Happening(kind, at, occurrence, isAfter, delay, place, duration));

    private static readonly Gen<Happening> AtATime = Gen.Select(
        Anything, Gen.Long[0, 20_000 * Millisecond], APlace, Duration,
        static (kind, delay, place, duration) => new Happening(kind, null, 0, IsAfter: false, delay, place, duration));

    private static readonly Gen<long> AtFirst = Gen.Long[0, 2_000 * Millisecond];

    private static readonly Gen<Happening[]> Move = AtFirst.Select(static delay => new[] { At(Kind.Migrate, delay, Place.Destination) });

    // A migration of a VM that is stopped before and started after, or meanwhile.
    private static readonly Gen<Happening[]> StoppedMove = Gen.Select(
        AtFirst, AtFirst, Gen.Long[0, 4_000 * Millisecond], APlace,
        static (stop, migrate, start, place) => new[]
        {
            At(Kind.StopVm, stop, place), At(Kind.Migrate, stop + migrate, Place.Destination), At(Kind.StartVm, stop + migrate + start, Place.Owner),
        });

    private static readonly Gen<Happening[]> Package = Gen.Select(
        AtFirst, Gen.Long[-500 * Millisecond, 1_000 * Millisecond], APlace,
        static (checkpoint, migrate, place) => new[]
        {
            At(Kind.Checkpoint, checkpoint, place), At(Kind.Migrate, Math.Max(0, checkpoint + migrate), Place.Destination),
        });

    private static readonly Gen<Happening[]> Death = Gen.Select(
        AtFirst, Gen.Long[0, 6_000 * Millisecond], Duration,
        static (migrate, death, duration) => new[]
        {
            At(Kind.Migrate, migrate, Place.Destination), At(Kind.DeclareDead, death, Place.Owner) with { Duration = duration },
        });

    private static readonly Gen<Happening[]> Beginning = Gen.Frequency((12, Move), (3, StoppedMove), (3, Package), (2, Death));

    /// <summary>Any history: a migration, and up to seven things that get in its way or follow it.</summary>
    public static Gen<History> Any { get; } = With(hasLease: null);

    /// <summary>Any history in which some things happen for certain, and up to seven more by chance.</summary>
    /// <param name="hasLease">Whether the VM has a lease; null: one in four.</param>
    /// <param name="certain">What happens for certain.</param>
    public static Gen<History> With(bool? hasLease, params Happening[] certain) => Gen.Select(
        Gen.ULong,
        hasLease is { } known ? Gen.Const(known) : Gen.Frequency((3, Gen.Const(false)), (1, Gen.Const(true))),
        Gen.Frequency((4, Gen.Const(false)), (1, Gen.Const(true))),
        certain is [{ Kind: Kind.Checkpoint or Kind.LoseRequest }, ..] ? Gen.Const<Happening[]>([]) : certain.Length > 0 ? Move : Beginning,
        Gen.Frequency((5, ToAMessage), (6, UponAMessage), (2, AtATime)).Array[0, 7],
        (seed, lease, isRestarted, beginning, others) => new History(seed, [.. beginning, .. certain, .. others], lease, isRestarted));

    private static Happening At(Kind kind, long delay, Place place) => new(kind, null, 0, IsAfter: false, delay, place, 0);

    public override string ToString() => string.Join(
        Environment.NewLine, Happenings.Select(static happening => happening.ToString()).Prepend(HasLease ? "The VM has a lease." : IsRestarted ? "The VM is restarted, and has no lease." : "The VM has no lease."));
}
