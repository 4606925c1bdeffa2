using CsCheck;

namespace Architekt.Fabric.Memory.Tests;

/// <summary>
/// The reason for all of this: whatever the guest does while its RAM comes, it reads the package's content and its own writes, and a destination that has the package
/// gets the same RAM from the differing pages alone. The oracles are the guest's own comparison, word by word, and the digests of both sides.
/// </summary>
public sealed class LazyFillCopyTests
{
    private const int Pages = 6007; // no whole number of blocks or page tables
    private const int Threads = 4;
    private static readonly Gen<(int First, int Count)> _genData = Gen.Select(Gen.Int[0, Pages - 1], Gen.OneOf(Gen.Int[1, 5], Gen.Int[1, 700]), (first, count) => (first, Math.Min(count, Pages - first)));

    private static readonly Gen<Case> _genCase = Gen.Select(
        _genData.Array[0, 12], Gen.Enum<FillMode>(), Gen.Int[0, 6].Select(power => 1 << power), Gen.Int[1, 1 << 20], Gen.Int[0, 4], Gen.Bool,
        (data, mode, around, seed, scans, restsFirst) => new Case(data, mode, around, seed, scans, restsFirst));

    [Fact]
    public Task Fill_GuestReadsAndWritesMeanwhile_DestinationWithThePackageNeedsOnlyWhatDiffers() =>
        _genCase.SampleAsync(RunAsync, iter: 60, threads: 1);

    [Fact]
    public Task Fill_LargeHolesUnderLoad_LosesNoWrite() =>
        Gen.Int[1, 1 << 20].SampleAsync(seed => RunAsync(new Case([(0, 40), (3000, 200)], FillMode.None, 1, seed, 30, false)), iter: 25, threads: 1);

    [Fact]
    public async Task Fill_DifferingPagesLeftOut_AreFoundOutByTheOracle()
    {
        await using var guest = LazyGuest.Start(Pages, new LazyFillOptions { Mode = FillMode.Now }, (0, 100));
        await guest.CompleteAsync();
        guest.Do("poke 50 3 1");
        using var destination = Destination.Create(guest);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(destination.AssertEqualsSource);
        guest.Collect();
        destination.Copy(guest.Tracker.Written);
        destination.AssertEqualsSource();
    }

    private static async Task RunAsync(Case run)
    {
        var options = new LazyFillOptions { Mode = FillMode.None, FaultAroundPages = run.Around, QuietTime = TimeSpan.FromMilliseconds(1), IdleBytesPerSecond = 1L << 30 };
        await using var guest = LazyGuest.Start(Pages, options, run.Data);
        using var destination = Destination.Create(guest);

        guest.Do($"exercise {Threads} {run.Seed} {guest.PackagePath}");
        await guest.UntilAsync(progress => progress.Faults >= 20);
        guest.Fill.Mode = run.Mode;
        for (var scan = 0; scan < run.Scans; scan++)
            guest.Collect();
        if (run.RestsFirst)
            AssertRested(guest);
        await guest.CompleteAsync();

        // The first pass of a migration, and rounds while the guest goes on.
        if (run.RestsFirst)
            guest.Do($"exercise {Threads} {run.Seed + 9} {guest.PackagePath}");
        guest.Collect();
        destination.Copy(guest.Tracker.Written);
        for (var round = 0; round < 3; round++)
            destination.Copy(guest.Collect());
        AssertRested(guest);
        destination.Copy(guest.Collect());

        Assert.Equal("0", guest.Ask("compare"));
        destination.AssertEqualsSource();
    }

    private static void AssertRested(LazyGuest guest)
    {
        var answer = guest.Ask("rest").Split(' ');
        Assert.True(long.Parse(answer[0], System.Globalization.CultureInfo.InvariantCulture) > 0, "the guest read nothing: nothing was proven");
        Assert.Equal("0", answer[1]);
    }

    private static class Destination
    {
        /// <summary>A host that has the package.</summary>
        public static Replica Create(LazyGuest guest)
        {
            using var package = GuestMemory.Open(guest.PackagePath);
            var destination = new Replica(guest.Memory, guest["copy"]);
            destination.CopyFrom(package);
            return destination;
        }
    }

    /// <param name="Data">Stretches of the package that are not hole.</param>
    /// <param name="Mode">Of the fill.</param>
    /// <param name="Around">Pages for one that is touched.</param>
    /// <param name="Seed">Of the guest's threads.</param>
    /// <param name="Scans">Scans while the RAM comes.</param>
    /// <param name="RestsFirst">Whether the guest stands still while the fill is completed.</param>
    private sealed record Case((int First, int Count)[] Data, FillMode Mode, int Around, int Seed, int Scans, bool RestsFirst);
}
