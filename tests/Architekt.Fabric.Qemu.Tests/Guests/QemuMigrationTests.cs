using System.Security.Cryptography;

namespace Architekt.Fabric.Qemu.Tests.Guests;

/// <summary>Device state by QEMU, RAM by whoever holds the files: the switch-over as the fabric does it, without a network or a disk.</summary>
public sealed class QemuMigrationTests
{
    [Fact]
    public async Task Migrate_SharedMemoryAndPause_ArrivesPausedAndRunsOnlyWhenTold()
    {
        await using var source = await TestGuest.StartAsync();
        await using var destination = await StartDestinationAsync();
        await PrepareAsync(source, destination);

        var stop = source.Qmp.WaitForEventAsync(QmpEventNames.Stop, null, Deadline.After(60));
        await SwitchAsync(source, destination);
        var stopped = await stop;
        Assert.Equal(MigrationStatus.PreSwitchover, (await source.Qmp.QueryMigrateAsync(Deadline.After(60))).Status);
        CopyRam(source, destination);

        var completed = source.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, Deadline.After(60));
        var loaded = destination.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, Deadline.After(60));
        await source.Qmp.MigrateContinueAsync(MigrationStatus.PreSwitchover, Deadline.After(60));
        Assert.Equal(MigrationStatus.Completed, (await completed).MigrationStatus);
        Assert.Equal(MigrationStatus.Completed, (await loaded).MigrationStatus);
        // Saving device state may write guest RAM.
        CopyRam(source, destination);

        Assert.Equal(RunState.Postmigrate, (await source.Qmp.QueryStatusAsync(Deadline.After(60))).Status);
        await destination.WaitForStateAsync(RunState.Paused);
        Assert.Equal(Digest(source), Digest(destination));
        var transferred = (await source.Qmp.QueryMigrateAsync(Deadline.After(60))).Ram!.Transferred;
        Assert.InRange(transferred, 1, TestGuest.MemoryBytes / 8);

        var resume = destination.Qmp.WaitForEventAsync(QmpEventNames.Resume, null, Deadline.After(60));
        await destination.Qmp.ContinueAsync(Deadline.After(60));
        Assert.True((await resume).Timestamp > stopped.Timestamp);
        Assert.True((await destination.Qmp.QueryStatusAsync(Deadline.After(60))).Running);
    }

    [Fact]
    public async Task MigrateCancel_AtPreSwitchover_SourceRunsAgain()
    {
        await using var source = await TestGuest.StartAsync();
        await using var destination = await StartDestinationAsync();
        await PrepareAsync(source, destination);
        await SwitchAsync(source, destination);
        Assert.False((await source.Qmp.QueryStatusAsync(Deadline.After(60))).Running);

        var resume = source.Qmp.WaitForEventAsync(QmpEventNames.Resume, null, Deadline.After(60));
        var cancelled = source.Qmp.WaitForMigrationAsync(MigrationStatus.Cancelled, Deadline.After(60));
        await source.Qmp.MigrateCancelAsync(Deadline.After(60));
        Assert.Equal(MigrationStatus.Cancelled, (await cancelled).MigrationStatus);
        await resume;
        Assert.Equal(new QmpStatus(true, RunState.Running), await source.Qmp.QueryStatusAsync(Deadline.After(60)));

        // And it can try again: the same source, another destination.
        await using var second = await StartDestinationAsync();
        await PrepareAsync(source, second);
        await SwitchAsync(source, second);
        await source.Qmp.MigrateCancelAsync(Deadline.After(60));
        await source.WaitForStateAsync(RunState.Running);
    }

    [Fact]
    public async Task Migrate_DestinationDiesAtPreSwitchover_SourceCanContinue()
    {
        await using var source = await TestGuest.StartAsync();
        await using var destination = await StartDestinationAsync();
        await PrepareAsync(source, destination);
        await SwitchAsync(source, destination);
        destination.Process.Kill();
        await destination.Process.WaitForExitAsync(Deadline.After(60));
        var ended = source.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, Deadline.After(60));
        await source.Qmp.MigrateContinueAsync(MigrationStatus.PreSwitchover, Deadline.After(60));
        Assert.Equal(MigrationStatus.Failed, (await ended).MigrationStatus);
        await source.Qmp.ContinueAfterMigrationAsync(TimeProvider.System, Deadline.After(60));
        Assert.True((await source.Qmp.QueryStatusAsync(Deadline.After(60))).Running);
    }

    [Fact]
    public async Task Migrate_NobodyListens_FailsAndTheSourceRunsOn()
    {
        await using var source = await TestGuest.StartAsync();
        await source.Qmp.MigrateSetCapabilitiesAsync(new() { IgnoreShared = true, PauseBeforeSwitchover = true }, Deadline.After(60));
        // QEMU answers with an error, fails with an event, or both, depending on its version; what counts is that the guest has not noticed.
        try
        {
            await source.Qmp.MigrateAsync($"unix:{source.Folder["nobody"]}", Deadline.After(60));
        }
        catch (QmpException exception)
        {
            Assert.Equal("migrate", exception.Command);
        }
        await Deadline.UntilAsync(
            async () => (await source.Qmp.QueryMigrateAsync(Deadline.After(60))).Status is MigrationStatus.Failed or MigrationStatus.None, 60);
        Assert.True((await source.Qmp.QueryStatusAsync(Deadline.After(60))).Running);
    }

    private static Task<TestGuest> StartDestinationAsync() =>
        TestGuest.StartAsync((machine, _) => machine with { Incoming = true, StartPaused = true });

    private static async Task PrepareAsync(TestGuest source, TestGuest destination)
    {
        await source.Qmp.MigrateSetCapabilitiesAsync(new() { IgnoreShared = true, PauseBeforeSwitchover = true }, Deadline.After(60));
        await destination.Qmp.MigrateSetCapabilitiesAsync(new() { IgnoreShared = true }, Deadline.After(60));
        await source.Qmp.MigrateSetParametersAsync(new() { MaxBandwidth = 10L << 30, DowntimeLimit = 2000, AnnounceRounds = 1 }, Deadline.After(60));
        Assert.Equal(RunState.Inmigrate, (await destination.Qmp.QueryStatusAsync(Deadline.After(60))).Status);
        await destination.Qmp.MigrateIncomingAsync($"unix:{destination.Folder["state"]}", Deadline.After(60));
    }

    private static async Task SwitchAsync(TestGuest source, TestGuest destination)
    {
        var paused = source.Qmp.WaitForMigrationAsync(MigrationStatus.PreSwitchover, Deadline.After(60));
        await source.Qmp.MigrateAsync($"unix:{destination.Folder["state"]}", Deadline.After(60));
        Assert.Equal(MigrationStatus.PreSwitchover, (await paused).MigrationStatus);
    }

    /// <summary>Into the file that is mapped already, so never by replacing it.</summary>
    private static void CopyRam(TestGuest source, TestGuest destination)
    {
        using var from = new FileStream(source.Machine.MemoryPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var to = new FileStream(destination.Machine.MemoryPath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        from.CopyTo(to, 1 << 20);
    }

    private static string Digest(TestGuest guest)
    {
        using var file = new FileStream(guest.Machine.MemoryPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return Convert.ToHexString(SHA256.HashData(file));
    }
}
