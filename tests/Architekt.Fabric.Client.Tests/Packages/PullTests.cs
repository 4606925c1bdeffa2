using System.Net;
using System.Security.Cryptography;
using Architekt.Fabric.Client.Tests.Fakes;
using Architekt.Fabric.Nbd;
using Architekt.Fabric.Packages;
using Architekt.Fabric.PackageTransfer;

namespace Architekt.Fabric.Client.Tests.Packages;

public sealed class PullTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-client-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var folder in Directory.EnumerateDirectories(_folder, "*", SearchOption.AllDirectories))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task PullPackageAsync_EndedWithTheSilo_IsStartedAgain()
    {
        await using var silo = await TestSilo.StartNewAsync();
        var package = Samples.Package("host-b", "redis:7.2");
        silo.World.Imports.Enqueue(new PackageImport(false, 500, 1000, null, null, null));
        silo.World.Imports.Enqueue(new PackageImport(true, 0, 0, null, FabricErrorCode.Unavailable, "The pull ended with the silo."));
        silo.World.Imports.Enqueue(new PackageImport(true, 1000, 1000, package, null, null));
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);

        var pulled = await client.PullPackageAsync("host-b", "redis:7.2", cancellationToken: Token);

        Assert.Equal(package.Digest, pulled.Digest);
        Assert.Equal(["host-b/redis:7.2 as ", "host-b/redis:7.2 as "], silo.World.Pulls);
    }

    [Fact]
    public async Task ExportPackageAsync_ServedPackage_WritesTheArchiveAndLeavesNothingElse()
    {
        var store = await PackageStore.OpenAsync(Path.Combine(_folder, "store"), null, Token);
        var stored = await store.ImportAsync(MakeFolder(), null, null, Token);
        await using var server = new NbdServer();
        var endPoint = (IPEndPoint)server.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        await using var exports = PackageExports.Open(server, (await store.TryUseAsync("redis", Token))!);
        await using var silo = await TestSilo.StartNewAsync();
        var manifest = await File.ReadAllBytesAsync(Path.Combine(stored.Folder, PackageManifest.FileName), Token);
        silo.World.Offer = new PackageOffer("token", stored.Digest, "127.0.0.1", endPoint.Port, manifest, exports.Names);
        await using var client = await FabricClient.ConnectAsync(silo.Options(), Token);
        var target = Directory.CreateDirectory(Path.Combine(_folder, "target")).FullName;

        var archive = await client.ExportPackageAsync("host-a", "redis", Path.Combine(target, "redis.ark"), cancellationToken: Token);

        Assert.Equal(stored.Digest, archive.Digest);
        Assert.Equal([archive.Path], Directory.GetFileSystemEntries(target));
        await ArkReader.VerifyAsync(archive.Path, null, Token);
        Assert.Equal(["token"], silo.World.Closed);
    }

    private string MakeFolder()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "redis")).FullName;
        var content = new byte[4096];
        Random.Shared.NextBytes(content);
        var entries = new[] { "kernel", "initramfs", "disk" }
            .Select(name => new PackageEntry { Name = name, Size = content.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) }).ToList();
        foreach (var entry in entries) File.WriteAllBytes(Path.Combine(folder, entry.Name), content);
        var manifest = new PackageManifest
        {
            FormatVersion = 1,
            Name = "redis",
            Kind = PackageKind.Blueprint,
            Architecture = "x86_64",
            MachineType = PackageMachineType.Q35,
            Vcpus = 1,
            MemoryBytes = 64 << 20,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Entries = entries,
        };
        File.WriteAllBytes(Path.Combine(folder, PackageManifest.FileName), manifest.ToUtf8());
        return folder;
    }
}
