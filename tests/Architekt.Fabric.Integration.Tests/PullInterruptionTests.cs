namespace Architekt.Fabric.Integration.Tests;

/// <summary>Silos that are killed in the middle of a pull.</summary>
[Collection<SharedHosts>]
public sealed class PullInterruptionTests(TwoHosts hosts)
{
    /// <summary>What the journal of a pull has of each piece that has arrived for good.</summary>
    private const int RecordSize = 24;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("host-a")]
    [InlineData("host-b")]
    public async Task Pull_OneSideIsKilledAndRestarted_IsCompletedWithoutBeingAskedForAgain(string killed)
    {
        hosts.Require();
        var digest = await ImportAsync($"large-{killed}", seed: killed[^1]);
        var pull = hosts.Fabric.PullPackageAsync(hosts.HostB.Name, digest, cancellationToken: Token);
        await UntilUnderWayAsync(digest);

        await hosts.Of(killed).KillAsync();
        Assert.False(Directory.Exists(hosts.PackageFolder(hosts.HostB, digest)), "The pull was over before anything was killed.");
        await hosts.Of(killed).StartAsync(Token);

        Assert.Equal(digest, (await pull).Digest);
        Assert.False(Directory.Exists(hosts.PullingFolder(hosts.HostB, digest)));
        await ForgetAsync(digest);
    }

    [Fact]
    public async Task Pull_WhatHadArrivedWasDamagedMeanwhile_IsNotBroughtAgainAndFoundOutByTheDigest()
    {
        hosts.Require();
        var digest = await ImportAsync("large-damaged", seed: 3);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var pull = hosts.Fabric.PullPackageAsync(hosts.HostB.Name, digest, cancellationToken: ending.Token);
        await UntilUnderWayAsync(digest);
        await hosts.HostB.KillAsync();
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        await DamageAsync(digest);
        await hosts.HostB.StartAsync(Token);
        await hosts.ReachAsync(hosts.HostB, Token);

        // Only because it goes on where it ended does it meet the damage at all.
        var error = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.PullPackageAsync(hosts.HostB.Name, digest, cancellationToken: Token));

        Assert.Equal(FabricErrorCode.Failed, error.Code);
        Assert.Contains("is not the package", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(hosts.PullingFolder(hosts.HostB, digest)));
        Assert.Equal(digest, (await hosts.Fabric.PullPackageAsync(hosts.HostB.Name, digest, cancellationToken: Token)).Digest);
        await ForgetAsync(digest);
    }

    private async Task<string> ImportAsync(string name, int seed)
    {
        using var large = await LargePackage.CreateAsync(name, seed, Token);
        return (await hosts.Fabric.ImportPackageAsync(hosts.HostA.Name, large.Folder, name, progress: null, Token)).Digest;
    }

    private async Task ForgetAsync(string digest)
    {
        foreach (var host in hosts.Hosts) await hosts.ForgetAsync(host, digest, Token);
    }

    private Task UntilUnderWayAsync(string digest)
    {
        var journal = new FileInfo(Path.Combine(hosts.PullingFolder(hosts.HostB, digest), "journal"));
        return TwoHosts.UntilAsync(
            () =>
            {
                journal.Refresh();
                return Task.FromResult(journal is { Exists: true, Length: >= 2 * RecordSize });
            },
            "some of the package has arrived",
            Token);
    }

    /// <summary>Changes one byte of the first piece that the journal says has arrived.</summary>
    private async Task DamageAsync(string digest)
    {
        var folder = hosts.PullingFolder(hosts.HostB, digest);
        var journal = await File.ReadAllBytesAsync(Path.Combine(folder, "journal"), Token);
        var (entry, offset) = (BitConverter.ToInt64(journal), BitConverter.ToInt64(journal, sizeof(long)));
        await using var file = new FileStream(Path.Combine(folder, LargePackage.Entries[(int)entry]), FileMode.Open);
        file.Position = offset;
        var before = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(before ^ 1));
    }
}
