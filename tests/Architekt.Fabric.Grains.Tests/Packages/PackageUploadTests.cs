using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Packages;

public sealed class PackageUploadTests(SharedCluster shared)
{
    private readonly FabricCluster _cluster = shared.Cluster;
    private readonly string _name = $"package-{Guid.NewGuid():N}"[..20];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IPackageGrain Grain => _cluster.Client.GetGrain<IPackageGrain>($"host-b/{_name}");

    [Fact]
    public async Task CommitUploadAsync_WhatWasSent_BecomesAPackage()
    {
        var offer = await Grain.OpenUploadAsync([1], Token);

        await Grain.CommitUploadAsync(offer.Token, Token);

        Assert.Equal(("host-b", _name), ((await EndAsync()).Package?.Host, (await EndAsync()).Package?.Name));
        Assert.DoesNotContain(_name, _cluster.World.Packages.Open.Values);
    }

    [Fact]
    public async Task CommitUploadAsync_AskedTwice_JoinsAndRefusesOthersMeanwhile()
    {
        var offer = await Grain.OpenUploadAsync([1], Token);
        var gate = _cluster.World.Hold(_name, "CommitUpload");

        await Grain.CommitUploadAsync(offer.Token, Token);
        await gate.Entered;
        Assert.False((await Grain.CommitUploadAsync(offer.Token, Token)).IsFinished);
        Assert.Equal(FabricErrorCode.Conflict, (await Assert.ThrowsAsync<FabricException>(() => Grain.OpenUploadAsync([1], Token))).Code);
        gate.Open();

        Assert.NotNull((await EndAsync()).Package);
        Assert.Single(_cluster.World.Journal(_name), entry => entry.EndsWith(":CommitUpload", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CommitUploadAsync_OfferIsNotOpen_IsTransient()
    {
        var offer = await Grain.OpenUploadAsync([1], Token);
        await Grain.CloseAsync(offer.Token, Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => Grain.CommitUploadAsync(offer.Token, Token));

        Assert.True(error.IsTransient);
        Assert.DoesNotContain(_name, _cluster.World.Packages.Open.Values);
    }

    [Fact]
    public async Task CommitUploadAsync_SomethingElseWasSent_EndsWithTheReason()
    {
        _cluster.World.Throw(_name, "CommitUpload", new FabricException(FabricErrorCode.Failed, "The digest is wrong."));
        var offer = await Grain.OpenUploadAsync([1], Token);

        await Grain.CommitUploadAsync(offer.Token, Token);

        Assert.Equal((FabricErrorCode.Failed, "The digest is wrong."), ((await EndAsync()).ErrorCode, (await EndAsync()).Error));
    }

    [Fact]
    public async Task DiscardUploadAsync_OpenOffer_IsThrownAwayOnce()
    {
        var offer = await Grain.OpenUploadAsync([1], Token);

        await Grain.DiscardUploadAsync(offer.Token, Token);
        await Grain.DiscardUploadAsync(offer.Token, Token);
        await Grain.CloseAsync(offer.Token, Token);

        Assert.Equal(["host-b:DiscardUpload"], _cluster.World.Journal(offer.Token));
    }

    private async Task<PackageImport> EndAsync()
    {
        PackageImport? status = null;
        await Eventually.TrueAsync(async () => (status = await Grain.GetImportAsync(Token)).IsFinished, "the import ends");
        return status!;
    }
}
