using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>Checkpoints of a real guest that goes on, or has to go on because they fail.</summary>
[Collection(OnePackagedGuest.Name)]
public sealed class PeerServiceCheckpointTests(PackagedGuest guest)
{
    [Fact]
    public async Task Checkpoint_BusyGuestKeepsRunning_BothGoOnIntact()
    {
        var package = await guest.RequireAsync();

        // Most of its RAM is not there yet.
        await using var peer = await guest.ResumeAsync(package, "none");
        await PackagedGuest.IntactAsync(peer, 1);
        var folder = guest.MakeFolder(package);
        var checkpoint = new PeerCheckpoint(peer.Instance.Epoch, "keep", folder, KeepRunning: true);

        var answer = await peer.Service.CheckpointAsync(checkpoint);

        TestContext.Current.TestOutputHelper?.WriteLine($"{answer}");
        Assert.InRange(answer.PauseMs, 0.1, 10_000);
        Assert.InRange(answer.MemoryBytes, 20 << 20, peer.Instance.MemoryBytes);
        Assert.InRange(answer.StateBytes, 10_000, 4 << 20);
        Assert.InRange(answer.DiskBytes, 1 << 20, 1L << 30);
        Assert.Equal(["disk", "initramfs", "kernel", "memory", "state"], Names(folder));
        Assert.Same(answer, await peer.Service.CheckpointAsync(checkpoint));
        Assert.Equal(PeerState.Running, peer.Service.Status.State);
        await PackagedGuest.IntactAsync(peer, peer.ConsoleText().Split("mem-intact").Length + 1);
        await using var fork = await guest.ResumeAsync(folder);
        await PackagedGuest.IntactAsync(fork, 2);
        await GuestShell.VerifyRecordsAsync(fork);
    }

    [Fact]
    public async Task Checkpoint_GuestKeepsRunningAndWriting_DiskIsOfTheMomentOfTheMemory()
    {
        var package = await guest.RequireAsync();
        await using var peer = await guest.ResumeAsync(package);
        await GuestShell.StartRingAsync(peer);
        var folder = guest.MakeFolder(package);

        await peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "moment", folder, KeepRunning: true));

        await GuestShell.VerifyRingAsync(peer);
        await using var fork = await guest.ResumeAsync(folder);
        await GuestShell.VerifyRingAsync(fork);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Checkpoint_GuestVetoes_IsRefusedAndLeavesNothing(bool keepRunning)
    {
        var package = await guest.RequireAsync();
        await using var peer = await guest.ResumeAsync(package);
        const string Hook = "/etc/architekt/before-suspend.d/busy";
        await GuestShell.RunAsync(peer, $"echo '#!/bin/sh' >{Hook}; echo 'exit 3' >>{Hook}; chmod 755 {Hook}");
        var folder = guest.MakeFolder(package);

        var refusal = await Assert.ThrowsAsync<PeerException>(
            () => peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "vetoed", folder, keepRunning)));

        Assert.Equal("Refused", refusal.Code);
        Assert.Equal(["initramfs", "kernel"], Names(folder));
        Assert.Equal(PeerState.Running, peer.Service.Status.State);
        await PackagedGuest.IntactAsync(peer, peer.ConsoleText().Split("mem-intact").Length + 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Checkpoint_DiskCannotBeRead_GuestGoesOnAndNothingIsLeft(bool keepRunning)
    {
        var package = await guest.RequireAsync();
        await using var peer = await guest.ResumeAsync(package);
        var folder = guest.MakeFolder(package);

        // It is looked for right before the guest stops, or, if it is to end, when all else is written and it stands still.
        var overlay = peer.Instance.OverlayDiskPath!;
        File.Move(overlay, overlay + ".away");

        var failure = await Assert.ThrowsAsync<PeerException>(
            () => peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "failed", folder, keepRunning)));
        File.Move(overlay + ".away", overlay);

        Assert.Equal("Failed", failure.Code);
        Assert.Contains(overlay, failure.Message, StringComparison.Ordinal);
        Assert.Equal(["initramfs", "kernel"], Names(folder));
        Assert.Equal(PeerState.Running, peer.Service.Status.State);
        await PackagedGuest.IntactAsync(peer, peer.ConsoleText().Split("mem-intact").Length + 1);
        await peer.PingAgentAsync();
        var again = guest.MakeFolder(package);
        await peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "again", again, KeepRunning: false));
        Assert.Equal(PeerExitKind.Suspended, (await peer.WaitForExitAsync()).Kind);
    }

    [Fact]
    public async Task Checkpoint_FolderHoldsOneAlready_IsRefused()
    {
        var package = await guest.RequireAsync();
        await using var peer = await guest.ResumeAsync(package);

        var refusal = await Assert.ThrowsAsync<PeerException>(
            () => peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, "over", package, KeepRunning: true)));

        Assert.Equal("Conflict", refusal.Code);
        Assert.Equal(["disk", "initramfs", "kernel", "memory", "state"], Names(package));
    }

    private static string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order()!];
}
