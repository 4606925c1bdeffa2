using Architekt.Fabric.Grains.Tests.Fakes;

namespace Architekt.Fabric.Grains.Tests.Packages;

public sealed class PackagePullTests(SharedCluster shared)
{
    private static int _packages;
    private readonly FabricCluster _cluster = shared.Cluster;
    private readonly string _name = $"package-{Guid.NewGuid():N}"[..20];

    /// <summary>Each test has a digest of its own.</summary>
    private readonly char _digit = "bcdef0123456789"[Interlocked.Increment(ref _packages)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PullAsync_ByNameAndByDigestAtOnce_ShareOnePull()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        var gate = _cluster.World.Hold(package.Digest, "Pull");

        var byName = await Grain("host-b", _name).PullAsync(null, Token);
        var byDigest = await Grain("host-b", package.Digest).PullAsync("other", Token);
        Assert.False(byName.IsFinished || byDigest.IsFinished);
        await gate.Entered;
        gate.Open();

        Assert.Equal("host-b", (await EndAsync("host-b", _name)).Package?.Host);
        Assert.Equal("host-b", (await EndAsync("host-b", package.Digest)).Package?.Host);
        Assert.Single(Pulls(package));
        Assert.DoesNotContain(package.Digest, _cluster.World.Packages.Open.Values);
    }

    [Fact]
    public async Task PullAsync_SourceIsLost_GoesOnUntilItIsBack()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        _cluster.World.Throw(package.Digest, "Pull", FabricException.Unavailable("The source is gone."), times: 2);

        await Grain("host-b", package.Digest).PullAsync(null, Token);

        Assert.NotNull((await EndAsync("host-b", package.Digest)).Package);
        Assert.Equal(3, Pulls(package).Count);
        Assert.DoesNotContain(package.Digest, _cluster.World.Packages.Open.Values);
    }

    [Fact]
    public async Task PullAsync_SourceServesSomethingWrong_TakesAnotherOne()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        _cluster.World.Packages.Add("host-c", _name, _digit);
        _cluster.World.Throw(package.Digest, "Pull", new FabricException(FabricErrorCode.Failed, "The digest is wrong."), times: 1);

        await Grain("host-b", package.Digest).PullAsync(null, Token);

        Assert.NotNull((await EndAsync("host-b", package.Digest)).Package);
        Assert.Equal(["host-b from host-a:Pull", "host-b from host-c:Pull"], Pulls(package).Order());
    }

    [Fact]
    public async Task PullAsync_EverySourceServesSomethingWrong_EndsWithTheReason()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        _cluster.World.Throw(package.Digest, "Pull", new FabricException(FabricErrorCode.Failed, "The digest is wrong."));

        await Grain("host-b", package.Digest).PullAsync(null, Token);

        var end = await EndAsync("host-b", package.Digest);
        Assert.Equal((FabricErrorCode.Failed, "The digest is wrong."), (end.ErrorCode, end.Error));
    }

    [Fact]
    public async Task Migrate_DestinationLacksThePackage_ReportsThePullWhileItPrepares()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        var vm = _cluster.AddVm();
        _cluster.World.Database.Do(tables => tables.Vms[vm] = tables.Vms[vm] with { Machine = Samples.Machine with { Package = _name, PackageDigest = package.Digest } });
        var gate = _cluster.World.Hold(package.Digest, "Pull");
        var migration = _cluster.Migration((await _cluster.MigrateAsync(vm)).Id);
        await gate.Entered;

        await Eventually.TrueAsync(
            async () => await migration.GetAsync(Token) is { Phase: MigrationPhase.Prepare, PulledBytes: 1, PackageBytes: 2 }, "the pull is reported");

        gate.Open();
        Assert.Equal(OperationOutcome.Succeeded, (await _cluster.ResultAsync(migration.GetPrimaryKeyString())).Outcome);
        Assert.NotNull(_cluster.World.Packages.Find("host-b", package.Digest));
    }

    [Fact]
    public async Task PullAsync_NobodyHasIt_IsNotFound()
    {
        var error = await Assert.ThrowsAsync<FabricException>(() => Grain("host-b", _name).PullAsync(null, Token));
        Assert.Equal(FabricErrorCode.NotFound, error.Code);
    }

    [Fact]
    public async Task PullAsync_NameStandsForDifferentPackages_IsAConflict()
    {
        _cluster.World.Packages.Add("host-a", _name, _digit);
        _cluster.World.Packages.Add("host-c", _name, 'a');

        var error = await Assert.ThrowsAsync<FabricException>(() => Grain("host-b", _name).PullAsync(null, Token));
        Assert.Equal(FabricErrorCode.Conflict, error.Code);
    }

    [Fact]
    public async Task RunAsync_HostLacksThePackage_PullsItBeforeTheMachineIsDescribed()
    {
        var package = _cluster.World.Packages.Add("host-a", _name, _digit);
        var vm = $"vm-{_name}";
        FabricException? refused = null;
        try
        {
            await _cluster.Vm(vm).RunAsync(new VmSpec(vm, _name, "host-b"), Token);
        }
        catch (FabricException error)
        {
            // The fake host can describe its own package only.
            refused = error;
        }

        Assert.Equal(FabricErrorCode.NotFound, refused?.Code);
        Assert.Equal(["host-b from host-a:Pull"], Pulls(package));
        Assert.Equal(["host-b:Describe"], _cluster.World.Journal(vm));
        Assert.Equal(package.Digest, _cluster.World.Packages.Find("host-b", _name)?.Digest);
    }

    private IPackageGrain Grain(string host, string package) => _cluster.Client.GetGrain<IPackageGrain>($"{host}/{package}");

    private IReadOnlyList<string> Pulls(PackageInfo package) => [.. _cluster.World.Journal(package.Digest).Where(entry => entry.EndsWith(":Pull", StringComparison.Ordinal))];

    private async Task<PackageImport> EndAsync(string host, string package)
    {
        PackageImport? status = null;
        await Eventually.TrueAsync(async () => (status = await Grain(host, package).GetPullAsync(Token)).IsFinished, "the pull ends");
        return status!;
    }
}
