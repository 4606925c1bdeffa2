using System.Net;
using Architekt.Fabric.Cli.Tests.Fakes;
using Architekt.Fabric.Grains;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;
using Architekt.Fabric.Silo.Registry;
using Architekt.Fabric.Silo.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Silo.Tests.Registry;

public sealed class PackageHostTests : IAsyncDisposable
{
    private readonly PackageFolder _package = new("redis");
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly List<RuntimeHost> _hosts = [];
    private readonly RecordingVmStore _vms = new(1) { Owned = [] };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        _package.Dispose();
    }

    [Fact]
    public async Task PullAsync_FromAnotherHost_BringsThePackageWithItsName()
    {
        var (source, sourceStore) = await HostAsync("host-a");
        var (destination, store) = await HostAsync("host-b");
        var digest = (await sourceStore.ImportAsync(_package.Path, null, null, Token)).Digest;

        var offer = await source.OpenAsync("redis", Token);
        var pulled = await destination.PullAsync(offer, ["redis:1"], new Progress<(long, long)>(), Token);
        await source.CloseAsync(offer.Token);

        Assert.Equal(("host-b", "redis:1", digest), (pulled.Host, pulled.Name, pulled.Digest));
        await PackageStore.VerifyAsync(await store.GetAsync("redis:1", Token), null, Token);
        await source.DeleteAsync("redis", Token);
    }

    [Fact]
    public async Task PullAsync_OfferWasClosed_IsTransient()
    {
        var (source, sourceStore) = await HostAsync("host-a");
        var (destination, _) = await HostAsync("host-b");
        await sourceStore.ImportAsync(_package.Path, null, null, Token);
        var offer = await source.OpenAsync("redis", Token);
        await source.CloseAsync(offer.Token);

        var error = await Assert.ThrowsAsync<FabricException>(() => destination.PullAsync(offer, [], new Progress<(long, long)>(), Token));

        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task CommitUploadAsync_WhatAClientSent_IsAPackageOfTheStore()
    {
        var (host, store) = await HostAsync("host-a");
        using var content = PackageContent.Open(_package.Path);

        var offer = await host.OpenUploadAsync(content.ManifestBytes.ToArray(), "redis:1", Token);
        await SendAsync(content, offer);
        var sent = await host.CommitUploadAsync(offer.Token, "redis:1", new Progress<(long, long)>(), Token);

        Assert.Equal(("host-a", "redis:1", content.Digest), (sent.Host, sent.Name, sent.Digest));
        await PackageStore.VerifyAsync(await store.GetAsync("redis:1", Token), null, Token);
    }

    [Fact]
    public async Task OpenUploadAsync_PackageIsThere_OnlyNamesIt()
    {
        var (host, store) = await HostAsync("host-a");
        await store.ImportAsync(_package.Path, null, null, Token);

        var offer = await host.OpenUploadAsync(await File.ReadAllBytesAsync(_package["manifest.json"], Token), "other", Token);

        Assert.Equal("other", offer.Package?.Name);
        Assert.Equal(["other", "redis"], (await store.GetAsync("redis", Token)).Names.Order());
    }

    [Fact]
    public async Task OpenUploadAsync_NameStandsForAnotherPackage_IsRefusedBeforeAnythingIsSent()
    {
        var (host, store) = await HostAsync("host-a");
        using var other = new PackageFolder("redis", seed: 2);
        await store.ImportAsync(_package.Path, null, null, Token);

        var error = await Assert.ThrowsAsync<FabricException>(
            async () => await host.OpenUploadAsync(await File.ReadAllBytesAsync(other["manifest.json"], Token), "redis", Token));

        Assert.Equal(FabricErrorCode.AlreadyExists, error.Code);
    }

    [Fact]
    public async Task CloseAsync_Upload_KeepsWhatArrivedForTheNextOne()
    {
        var (host, _) = await HostAsync("host-a");
        using var content = PackageContent.Open(_package.Path);
        var first = await host.OpenUploadAsync(content.ManifestBytes.ToArray(), "redis", Token);
        await SendAsync(content, first);
        Assert.Equal(3, first.Missing.Count);

        await host.CloseAsync(first.Token);
        var gone = await Assert.ThrowsAsync<FabricException>(() => host.CommitUploadAsync(first.Token, "redis", new Progress<(long, long)>(), Token));
        Assert.True(gone.IsTransient);
        var second = await host.OpenUploadAsync(content.ManifestBytes.ToArray(), "redis", Token);
        Assert.Empty(second.Missing);

        await host.DiscardUploadAsync(second.Token);
        var third = await host.OpenUploadAsync(content.ManifestBytes.ToArray(), "redis", Token);
        Assert.Equal(3, third.Missing.Count);
        await host.CloseAsync(third.Token);
    }

    private static Task SendAsync(PackageContent content, PackageUploadOffer offer) => PackageUploader.UploadAsync(
        content,
        new IPEndPoint(IPAddress.Parse(offer.Address), offer.Port),
        offer.Exports,
        content.Manifest.Entries.ToDictionary(entry => entry.Name, IReadOnlyList<PackageRange> (entry) => [new PackageRange(0, entry.Size)]),
        null,
        Token);

    [Theory]
    [InlineData(VmState.Running)]
    [InlineData(VmState.Stopped)]
    public async Task DeleteAsync_BaseOfAVmOfThisHost_IsAConflict(VmState state)
    {
        var (host, store) = await HostAsync("host-a");
        var digest = (await store.ImportAsync(_package.Path, null, null, Token)).Digest;
        _vms.Owned = [Vm("host-a", digest, state)];

        var error = await Assert.ThrowsAsync<FabricException>(() => host.DeleteAsync("redis", Token));
        Assert.Equal(FabricErrorCode.Conflict, error.Code);
        await host.UntagAsync("redis", Token);
        Assert.Empty((await host.CollectAsync(Token)).Packages);

        _vms.Owned = [Vm("host-b", digest, state)];
        Assert.Equal([digest], (await host.CollectAsync(Token)).Packages);
    }

    /// <summary>No row says so yet: the VM is still its source's.</summary>
    [Fact]
    public async Task DeleteAsync_BaseOfAVmThatIsOnItsWayHere_IsAConflict()
    {
        var (host, store) = await HostAsync("host-a");
        var package = await store.ImportAsync(_package.Path, null, null, Token);
        var peers = _hosts.Single().Peers;
        using var folder = new TestHost();
        var arriving = folder.Instance() with { KernelCommandLine = FakePeer.Answers, KernelPath = package.PathOf("kernel") };
        await peers.StartAsync(arriving, keepsDisk: false, Token);
        try
        {
            var error = await Assert.ThrowsAsync<FabricException>(() => host.DeleteAsync("redis", Token));
            Assert.Equal(FabricErrorCode.Conflict, error.Code);
            await host.UntagAsync("redis", Token);
            Assert.Empty((await host.CollectAsync(Token)).Packages);
        }
        finally
        {
            await peers.EndAsync(arriving.Vm, arriving.Epoch);
        }

        Assert.Equal([package.Digest], (await host.CollectAsync(Token)).Packages);
    }

    private static VmRecord Vm(string host, string digest, VmState state) => new(
        new VmInfo("vm", state, null, host, 1, "redis", digest, 1, 1 << 20, null, null, default, default),
        new MachineDescription("redis", digest, "q35", "tcg", "max", 1, 1 << 20, "", null, "7.2", HasAgent: false));

    private async Task<(PackageHost Host, PackageStore Store)> HostAsync(string name)
    {
        var values = new FabricOptions { HostName = name, PackagePort = 0, PeerPath = FakePeer.Program, StateFolder = _package.Beside(name), RuntimeFolder = _package.Beside(name) };
        var host = await RuntimeHost.CreateAsync(values, _vms);
        var server = PackageServer.Start(values, NullLogger.Instance);
        _servers.Add(server);
        _servers.Add(host);
        _hosts.Add(host);
        return (new PackageHost(host.Options, host.Runtime, host.Store, server, host.Peers, _vms, TimeProvider.System), host.Store);
    }
}
