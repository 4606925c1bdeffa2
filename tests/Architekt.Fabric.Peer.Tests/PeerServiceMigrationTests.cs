using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>Live migration of a real guest between two peers.</summary>
[Collection(SharedGuest.Name)]
public sealed class PeerServiceMigrationTests(MigratingGuest guest)
{
    [Fact]
    public async Task Migrate_Verified_MemoryIsTheSameOnBothSidesAndTheGuestLivesOn()
    {
        await guest.RequireLiveAsync();

        var migrated = await guest.MigrateAsync("verified", verify: true);

        Assert.NotNull(migrated.Switched.Digest);
        Assert.Equal(migrated.Switched.Digest, migrated.Loaded.Digest);
        Assert.Equal(PeerState.Running, migrated.Destination.Service.Status.State);
        Assert.True(migrated.Destination.Service.Status.IsLive);
        await migrated.Destination.PingAgentAsync();
    }

    [Fact]
    public async Task Migrate_RunningGuest_CountsWhatWasMoved()
    {
        await guest.RequireLiveAsync();

        var (source, _, switched, loaded, running) = await guest.MigrateAsync("counted");

        var counters = switched.Counters;
        Assert.True(counters.Rounds >= 2, $"{counters}");
        Assert.InRange(counters.MemoryBytes, 10 << 20, 2 * source.Instance.MemoryBytes);
        Assert.InRange(counters.SkippedBytes, 1, source.Instance.MemoryBytes - 1);
        Assert.InRange(counters.StateBytes, 10_000, 4 << 20);
        Assert.InRange(counters.LastRoundBytes, 0, counters.MemoryBytes);
        Assert.InRange(switched.SourceMs, 0.01, 10_000);
        Assert.InRange(loaded.LoadMs, 0.01, 10_000);
        Assert.InRange(running.SinceStateMs, 0.01, 20_000);
        Assert.Null(switched.Digest);
    }

    [Fact]
    public async Task Migrate_Released_SourceLeavesOnlyItsRecords()
    {
        await guest.RequireLiveAsync();
        var qemu = guest.Current.Qemu();

        var (source, _, _, _, _) = await guest.MigrateAsync("released");

        var exit = await source.WaitForExitAsync();
        Assert.Equal(new PeerExit(source.Instance.Epoch, PeerExitKind.Released, "it runs elsewhere since migration released"), exit);
        Assert.False(qemu.IsAlive());
        Assert.Equal([PeerApi.ExitFile, PeerApi.IdentityFile, "qemu.log"], source.FilesLeft());
    }

    [Fact]
    public async Task Migrate_GuestWritesItsDisk_FindsEveryRecordAfterwards()
    {
        await guest.RequireLiveAsync();
        await guest.MigrateAsync("disk");
        var destination = guest.Current;

        // The guest reads back past its page cache what it was told is on the disk, before and after the move.
        await Deadline.UntilAsync(
            () => destination.ConsoleText().Contains("diskcheck: ", StringComparison.Ordinal), "the guest checks its disk on the destination", 120);

        Assert.Matches(@"diskcheck: [1-9][0-9]* ok, 0 bad", destination.ConsoleText());
        Assert.DoesNotContain("is bad:", destination.ConsoleText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AskedTwice_GivesTheSameAnswer()
    {
        await guest.RequireLiveAsync();
        var migrated = await guest.MigrateAsync("twice");

        Assert.Same(migrated.Running, await migrated.Destination.Service.RunAsync(migrated.Destination.Instance.Epoch));
    }

    [Fact]
    public async Task Stop_GuestHasMoved_ShutsDown()
    {
        await guest.RequireLiveAsync();
        await guest.MigrateAsync("last");
        var peer = guest.Current;

        await peer.Service.StopAsync(peer.Instance.Epoch, force: false);

        // On its way down the guest resets its devices, and QEMU must be able to do that with what it has loaded.
        Assert.Equal(new PeerExit(peer.Instance.Epoch, PeerExitKind.ShutDown, "the guest shut down"), await peer.WaitForExitAsync(60));
    }

    [Fact]
    public async Task Stop_GuestIsAsked_ShutsDown()
    {
        var peer = await guest.RequireLiveAsync();

        await peer.Service.StopAsync(peer.Instance.Epoch, force: false);

        var exit = await peer.WaitForExitAsync(60);
        Assert.Equal(new PeerExit(peer.Instance.Epoch, PeerExitKind.ShutDown, "the guest shut down"), exit);
    }
}
