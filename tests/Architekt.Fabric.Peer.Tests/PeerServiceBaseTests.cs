using Architekt.Fabric.Peer.Tests.Support;

namespace Architekt.Fabric.Peer.Tests;

/// <summary>Migrations to hosts that have something of the guest's RAM already. In each, the digests of both sides' RAM have to agree.</summary>
[Collection(OnePackagedGuest.Name)]
public sealed class PeerServiceBaseTests(PackagedGuest guest)
{
    [Fact]
    public async Task Migrate_DestinationHasThePackage_IsSentWhatDiffersOnly()
    {
        var package = await guest.RequireAsync();
        var from = new PeerBase(PackagedGuest.Digest, Path.Combine(package, PeerApi.CheckpointMemory));
        var first = await guest.ResumeAsync(package, "none");
        await PackagedGuest.IntactAsync(first, 1);

        var second = await guest.MigrateAsync(first, package, "to-second", from);
        AssertSmall(second.Offer, second.Switched);
        await PackagedGuest.IntactAsync(second.Destination, 1);

        // What it was sent is what differs here, too, together with what the guest has written since.
        var third = await guest.MigrateAsync(second.Destination, package, "to-third", from);
        AssertSmall(third.Offer, third.Switched);
        await PackagedGuest.IntactAsync(third.Destination, 1);

        var fourth = await guest.MigrateAsync(third.Destination, package, "to-fourth", from: null);
        Assert.Null(fourth.Offer.BaseName);
        Assert.Equal(0, fourth.Switched.Counters.BaseBytes);
        Assert.True(fourth.Switched.Counters.MemoryBytes > 2 * third.Switched.Counters.MemoryBytes, $"{fourth.Switched.Counters}");

        // It had nothing of the package, and knows all the same what differs from it.
        var fifth = await guest.MigrateAsync(fourth.Destination, package, "to-fifth", from);
        AssertSmall(fifth.Offer, fifth.Switched);
        await PackagedGuest.IntactAsync(fifth.Destination, 1);
        await fifth.Destination.PingAgentAsync();
        await fifth.Destination.DisposeAsync();
    }

    [Fact]
    public async Task Checkpoint_OfTheBootedGuest_CanBeResumedAndADestinationThatHasItIsSentWhatChangedSinceOnly()
    {
        await guest.RequireAsync();
        var blueprint = TestHost.RequireGuest();
        var first = await guest.BootAsync();
        Assert.Null(first.Service.Status.Bases);

        var moment = await CheckpointAsync(first, "moment");

        Assert.Equal([moment.Name], first.Service.Status.Bases!);
        await using (var fork = await guest.ResumeAsync(Path.GetDirectoryName(moment.MemoryPath)!, "now"))
            await PackagedGuest.IntactAsync(fork, 2);
        await PackagedGuest.IntactAsync(first, first.ConsoleText().Split("mem-intact").Length + 1);
        var second = await guest.MigrateAsync(first, blueprint, "to-moment", moment);
        AssertSmall(second.Offer, second.Switched);
        await PackagedGuest.IntactAsync(second.Destination, 1);
        await second.Destination.PingAgentAsync();
        await second.Destination.DisposeAsync();
    }

    [Fact]
    public async Task Migrate_AfterACheckpoint_StillKnowsWhatDiffersFromThePackage()
    {
        var package = await guest.RequireAsync();
        var from = new PeerBase(PackagedGuest.Digest, Path.Combine(package, PeerApi.CheckpointMemory));
        var first = await guest.ResumeAsync(package);
        await PackagedGuest.IntactAsync(first, 1);

        for (var number = 1; number <= 4; number++) await CheckpointAsync(first, $"checkpoint-{number}");

        Assert.Equal([PackagedGuest.Digest, "sha256-checkpoint-2", "sha256-checkpoint-3", "sha256-checkpoint-4"], first.Service.Status.Bases!);
        var second = await guest.MigrateAsync(first, package, "after-checkpoints", from);
        AssertSmall(second.Offer, second.Switched);
        await PackagedGuest.IntactAsync(second.Destination, 1);
        await second.Destination.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Migrate_BackToWhereItsMemoryWasKept_IsSentWhatChangedSince(bool adopt)
    {
        var package = await guest.RequireAsync();
        var kept = Path.Combine(guest.Host.Path, $"kept-{adopt}");
        var first = await guest.ResumeAsync(package);
        await PackagedGuest.IntactAsync(first, 1);

        var there = await guest.MigrateAsync(first, package, $"there-{adopt}", from: null, keepMemory: kept);
        Assert.True(File.Exists(kept));
        Assert.Contains(there.Released.KeptBase, there.Destination.Service.Status.Bases!);
        await PackagedGuest.IntactAsync(there.Destination, 1);

        var back = await guest.MigrateAsync(there.Destination, package, $"back-{adopt}", new PeerBase(there.Released.KeptBase!, kept, adopt));
        Assert.Equal(there.Released.KeptBase, back.Offer.BaseName);
        AssertSmall(back.Offer, back.Switched);
        Assert.Equal(!adopt, File.Exists(kept));

        // The package is still one of its bases.
        Assert.Contains(PackagedGuest.Digest, back.Destination.Service.Status.Bases!);
        await PackagedGuest.IntactAsync(back.Destination, 1);
        await back.Destination.PingAgentAsync();
        await back.Destination.DisposeAsync();
    }

    [Fact]
    public async Task Migrate_SourceDoesNotKnowTheBase_EverythingIsSent()
    {
        var package = await guest.RequireAsync();
        var other = Path.Combine(guest.Host.Path, "other-ram");
        var first = await guest.ResumeAsync(package, "now");
        using (var file = File.OpenHandle(other, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(file, first.Instance.MemoryBytes);
            var rubbish = new byte[8 << 20];
            Array.Fill(rubbish, (byte)0xA5);
            for (var offset = 0L; offset < first.Instance.MemoryBytes; offset += 2 * rubbish.Length) RandomAccess.Write(file, rubbish, offset);
        }

        var moved = await guest.MigrateAsync(first, package, "unknown-base", new PeerBase("sha256-other", other));

        Assert.Equal("sha256-other", moved.Offer.BaseName);
        Assert.Equal(0, moved.Switched.Counters.BaseBytes);
        await PackagedGuest.IntactAsync(moved.Destination, 1);
        await moved.Destination.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4096L)]
    public async Task Receive_BaseCannotBeUsed_DoesWithout(long? length)
    {
        var package = await guest.RequireAsync();
        var useless = Path.Combine(guest.Host.Path, $"useless-{length}");
        if (length is { } bytes) await File.WriteAllBytesAsync(useless, new byte[bytes], TestContext.Current.CancellationToken);
        await using var peer = await TestPeer.CreateAsync(guest.Host, 1, package);

        var offer = await peer.Service.ReceiveAsync(new PeerIncoming("useless", Verify: false, IsLive: true, new PeerBase(PackagedGuest.Digest, useless, Adopt: true)));

        Assert.Null(offer.BaseName);
        Assert.Equal(0, peer.Service.Status.ResidentBytes);
    }

    /// <summary>Makes a checkpoint after which the guest goes on, and names it as the fabric does when it has made a package of it.</summary>
    private async Task<PeerBase> CheckpointAsync(TestPeer peer, string operation)
    {
        var folder = guest.MakeFolder(TestHost.RequireGuest());
        await peer.Service.CheckpointAsync(new PeerCheckpoint(peer.Instance.Epoch, operation, folder, KeepRunning: true));
        var name = $"sha256-{operation}";
        await peer.Service.NameCheckpointAsync(new PeerBaseName(peer.Instance.Epoch, operation, name));
        return new PeerBase(name, Path.Combine(folder, PeerApi.CheckpointMemory));
    }

    private static void AssertSmall(PeerOffer offer, PeerSwitched switched)
    {
        var counters = switched.Counters;
        TestContext.Current.TestOutputHelper?.WriteLine($"{offer.BaseName}: {counters}");
        Assert.NotNull(offer.BaseName);
        Assert.True(counters.BaseBytes > 0, $"{counters}");
        Assert.True(counters.MemoryBytes < counters.BaseBytes / 2, $"{counters}");
    }
}
