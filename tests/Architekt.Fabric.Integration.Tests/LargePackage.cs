using System.Security.Cryptography;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>A package that takes some seconds to pull. Nobody boots it.</summary>
internal sealed class LargePackage : IDisposable
{
    private const int DiskMegabytes = 512;

    /// <summary>Its entries, in the manifest's order.</summary>
    public static IReadOnlyList<string> Entries { get; } = ["kernel", "initramfs", "disk"];

    public string Folder { get; } = Directory.CreateTempSubdirectory("architekt-it-large-").FullName;

    public static async Task<LargePackage> CreateAsync(string name, int seed, CancellationToken cancellationToken)
    {
        var package = new LargePackage();
        var entries = new List<PackageEntry>();
        foreach (var entry in Entries) entries.Add(await package.WriteAsync(entry, entry == "disk" ? DiskMegabytes : 1, seed, cancellationToken));
        var manifest = new PackageManifest
        {
            FormatVersion = 1,
            Name = name,
            Kind = PackageKind.Blueprint,
            Architecture = "x86_64",
            MachineType = PackageMachineType.Q35,
            Vcpus = 1,
            MemoryBytes = 64 << 20,
            KernelCommandLine = "",
            AgentPorts = new AgentPorts(),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Entries = entries,
        };
        await File.WriteAllBytesAsync(Path.Combine(package.Folder, PackageManifest.FileName), manifest.ToUtf8(), cancellationToken);
        return package;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private async Task<PackageEntry> WriteAsync(string name, int megabytes, int seed, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1 << 20];
        new Random(seed).NextBytes(block);
        await using var file = File.Create(Path.Combine(Folder, name));
        for (var number = 0; number < megabytes; number++)
        {
            BitConverter.TryWriteBytes(block, number);
            hash.AppendData(block);
            await file.WriteAsync(block, cancellationToken);
        }

        return new PackageEntry { Name = name, Size = (long)megabytes << 20, Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) };
    }
}
