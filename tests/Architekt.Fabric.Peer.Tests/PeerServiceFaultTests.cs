using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Peer.Hosting;
using Architekt.Fabric.Peer.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>A migration that does not come to its end leaves the guest running where it was, and does not stand in the way of the next.</summary>
[Collection(OneMigratingGuest.Name)]
public sealed class PeerServiceFaultTests(MigratingGuest guest)
{
    /// <summary>What an NBD server says first: NBDMAGIC, IHAVEOPT and the flags for fixed newstyle without zeroes (NBD protocol, newstyle negotiation).</summary>
    private static readonly byte[] NbdGreeting = [.. "NBDMAGICIHAVEOPT"u8, 0, 3];

    [Fact]
    public async Task Copy_OtherMigrationUnderWay_IsRefused()
    {
        var source = await guest.RequireLiveAsync();
        var (destination, offer) = await guest.PrepareAsync("first");
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, "first"));

        var refusal = await Assert.ThrowsAsync<PeerException>(() => source.Service.CopyAsync(MigratingGuest.CopyTo(offer, "second")));

        Assert.Equal("Conflict", refusal.Code);
        Assert.Contains("first", refusal.Message, StringComparison.Ordinal);
        await MigratingGuest.GiveUpAsync(source, destination, "first");
    }

    [Fact]
    public async Task RollBack_RightAfterCopyBegan_GuestRunsAndCanBeMigrated()
    {
        var source = await guest.RequireLiveAsync();
        var (destination, offer) = await guest.PrepareAsync("brief");
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, "brief"));

        await MigratingGuest.GiveUpAsync(source, destination, "brief");

        await source.PingAgentAsync();
        await guest.MigrateAsync("after-brief");
    }

    [Fact]
    public async Task RollBack_HandedOver_GuestRunsAndCanBeMigrated()
    {
        var source = await guest.RequireLiveAsync();
        var (destination, _) = await guest.HandOverAsync("handed-over");
        Assert.Equal(PeerState.HandedOver, source.Service.Status.State);

        await destination.Service.DiscardAsync("handed-over");
        await source.Service.RollBackAsync("handed-over");

        Assert.Equal(PeerState.Running, source.Service.Status.State);
        await source.PingAgentAsync();
        await guest.MigrateAsync("after-hand-over");
    }

    /// <summary>QEMU has written everything out and is done with its migration; it can go on all the same, with its disk.</summary>
    [Fact]
    public async Task RollBack_DestinationsQemuDiedOnceItHadLoaded_GuestRunsAndCanBeMigrated()
    {
        var source = await guest.RequireLiveAsync();
        var (destination, _) = await guest.HandOverAsync("died-loaded");
        Assert.True((await destination.Service.WaitLoadedAsync(10_000, TestContext.Current.CancellationToken)).IsLoaded);

        Assert.True(destination.Qemu().Kill(ProcessSignal.Kill));
        await destination.WaitForExitAsync();
        await source.Service.RollBackAsync("died-loaded");

        Assert.Equal(PeerState.Running, source.Service.Status.State);
        await source.PingAgentAsync();
        await guest.MigrateAsync("after-died-loaded");
    }

    [Fact]
    public async Task Copy_DestinationEnds_SaysSoAndTheGuestRunsOn()
    {
        var source = await guest.RequireLiveAsync();
        var (destination, offer) = await guest.PrepareAsync("lost");
        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer, "lost", bytesPerSecond: 4 << 20));
        await Deadline.UntilAsync(() => destination.Service.Status.ResidentBytes > 1 << 20, "copying is under way");

        await destination.DisposeAsync();

        Assert.NotEmpty(await MigratingGuest.WaitForErrorAsync(source));
        await source.PingAgentAsync();
        await source.Service.RollBackAsync("lost");
        Assert.Null(source.Service.Status.Operation);
        await guest.MigrateAsync("after-lost");
    }

    [Theory]
    [InlineData(false, "did not answer within 5 s")]
    [InlineData(true, "could not be opened within 1 s")]
    public async Task Copy_DestinationsDiskIsSilent_IsGivenUpAndTheGuestRunsOn(bool greets, string reason)
    {
        var source = await guest.RequireLiveAsync();
        var operation = $"silent-{greets}";
        var (destination, offer) = await guest.PrepareAsync(operation);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var accepting = silent.AcceptSocketAsync(Deadline.After(30)).AsTask();
        var answer = accepting.ContinueWith(
            async task => { if (greets) await (await task).SendAsync(NbdGreeting, Deadline.After(30)); }, TaskScheduler.Default).Unwrap();

        await source.Service.CopyAsync(MigratingGuest.CopyTo(offer with { DiskPort = ((IPEndPoint)silent.LocalEndpoint).Port }, operation));

        Assert.Contains(reason, await MigratingGuest.WaitForErrorAsync(source), StringComparison.Ordinal);
        await answer;
        (await accepting).Dispose();
        await source.PingAgentAsync();
        await MigratingGuest.GiveUpAsync(source, destination, operation);
        await guest.MigrateAsync($"after-{operation}");
    }
}
