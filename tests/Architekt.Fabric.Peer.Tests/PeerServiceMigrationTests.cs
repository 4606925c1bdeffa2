using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>Live migration of a real guest between two peers.</summary>
[Collection(OneMigratingGuest.Name)]
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

        // Devices are loaded as they come, so next to nothing may be left for after the hand-over.
        Assert.InRange(loaded.LoadMs, double.Epsilon, 10_000);
        Assert.InRange(running.SinceStateMs, 0.01, 20_000);
        Assert.Null(switched.Digest);
    }

    [Fact]
    public async Task Switch_GuestWritesUntilItIsStopped_WhatItWroteBeforeIsNotSentInThePause()
    {
        const int Written = 8 << 20;
        const string operation = "late-writes";
        var source = await guest.RequireLiveAsync();
        var (destination, offer) = await guest.PrepareAsync(operation);
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, operation));
        await MigratingGuest.WaitConvergedAsync(source);
        await source.Service.SuspendAsync(operation);
        var gate = source.CloseGate($"{operation}.switching");
        var switching = source.Service.SwitchAsync(new PeerStep(operation));

        // All rounds but the one while QEMU gets ready to stop the guest are behind it.
        await gate.ReachedAsync();
        var before = (await source.Service.WaitTransferAsync(-1, Deadline.After(30))).Counters.MemoryBytes;
        await GuestShell.RunAsync(source, $"head -c {Written} /dev/urandom >/tmp/late", seconds: 8);
        gate.Open();
        var counters = (await switching).Counters;

        TestContext.Current.TestOutputHelper?.WriteLine($"{counters}");
        Assert.InRange(counters.MemoryBytes, before + Written, long.MaxValue);
        Assert.InRange(counters.LastRoundBytes, 0, Written / 2);
        await MigratingGuest.GiveUpAsync(source, destination, operation);
        await GuestShell.RunAsync(source, "rm /tmp/late");
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
        await GuestShell.WriteRecordsAsync(guest.Current);
        await guest.MigrateAsync("disk");
        var destination = guest.Current;

        // The guest reads back past its page cache what it was told is on the disk, before and after the move.
        await GuestShell.WriteRecordsAsync(destination);
        await GuestShell.VerifyRecordsAsync(destination);
    }

    [Fact]
    public async Task Run_AskedTwice_GivesTheSameAnswer()
    {
        await guest.RequireLiveAsync();
        var migrated = await guest.MigrateAsync("twice");

        Assert.Same(migrated.Running, await migrated.Destination.Service.RunAsync(migrated.Destination.Instance.Epoch));
    }
}
