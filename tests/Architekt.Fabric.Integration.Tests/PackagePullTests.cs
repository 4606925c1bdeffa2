namespace Architekt.Fabric.Integration.Tests;

/// <summary>Packages that only one host has and the other needs.</summary>
[Collection<SharedHosts>]
public sealed class PackagePullTests(TwoHosts hosts)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_OnAHostThatLacksThePackage_PullsItAndTheGuestComesUp()
    {
        hosts.Require();
        const string vm = "pulled";
        const string tag = "redis:pulled";
        var (source, destination) = (hosts.HostA.Name, hosts.HostB.Name);
        await hosts.BringAsync(hosts.HostA, Token);
        await hosts.Fabric.DeletePackageAsync(destination, "redis", Token);
        await hosts.Fabric.TagPackageAsync(source, "redis", tag, cancellationToken: Token);
        Assert.Null(await hosts.Fabric.FindPackageAsync(destination, tag, Token));

        try
        {
            await hosts.Fabric.RunVmAsync(new VmSpec(vm, tag, destination, HasNetwork: false), Token);
            await hosts.Fabric.WaitForVmAsync(vm, VmState.Running, TimeSpan.FromMinutes(2), Token);

            var pulled = await hosts.Fabric.FindPackageAsync(destination, tag, Token);
            Assert.Equal((await hosts.Fabric.FindPackageAsync(source, tag, Token))?.Digest, pulled?.Digest);
            var refusal = await Assert.ThrowsAsync<FabricException>(() => hosts.Fabric.DeletePackageAsync(destination, tag, Token));
            Assert.Equal(FabricErrorCode.Conflict, refusal.Code);
        }
        finally
        {
            await hosts.Fabric.DeleteVmAsync(vm, force: true, Token);
        }

        await hosts.Fabric.UntagPackageAsync(destination, tag, Token);
        Assert.Single((await hosts.Fabric.CollectPackagesAsync(destination, Token)).Packages);
        await AssertMigrationPullsAsync(destination);
    }

    private async Task AssertMigrationPullsAsync(string destination)
    {
        await hosts.MigrateAsync(TwoHosts.Vm, destination, options: null, Token);
        Assert.NotNull(await hosts.Fabric.FindPackageAsync(destination, "redis", Token));
    }

    [Fact]
    public async Task Export_FromAHost_GivesAnArchiveOfTheSamePackage()
    {
        hosts.Require();
        var folder = Directory.CreateTempSubdirectory("architekt-it-export-").FullName;
        try
        {
            var path = Path.Combine(folder, "redis.ark");
            var archive = await hosts.Fabric.ExportPackageAsync(hosts.HostA.Name, "redis", path, cancellationToken: Token);

            Assert.Equal((await hosts.Fabric.FindPackageAsync(hosts.HostA.Name, "redis", Token))?.Digest, archive.Digest);
            Assert.Equal([path], Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
