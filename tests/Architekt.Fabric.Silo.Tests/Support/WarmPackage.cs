using System.Security.Cryptography;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Silo.Tests.Support;

/// <summary>A package with memory, as a folder to import: valid, but nothing in it would run.</summary>
internal static class WarmPackage
{
    public const long MemoryBytes = 2 << 20;

    /// <summary>Writes it and returns where.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="change">What is other than usual about it.</param>
    public static async Task<string> WriteAsync(string path, Func<PackageManifest, PackageManifest> change)
    {
        var token = TestContext.Current.CancellationToken;
        Directory.CreateDirectory(path);
        var entries = new List<PackageEntry>();
        foreach (var (name, size) in new[] { ("kernel", 4096L), ("initramfs", 4096L), ("disk", 4096L), ("memory", MemoryBytes), ("state", 4096L) })
        {
            var content = new byte[size];
            content[0] = 1;
            await File.WriteAllBytesAsync(Path.Combine(path, name), content, token);
            entries.Add(new PackageEntry { Name = name, Size = size, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) });
        }

        var manifest = change(new PackageManifest
        {
            FormatVersion = 1,
            Name = "warm",
            Kind = PackageKind.Package,
            Architecture = "x86_64",
            MachineType = PackageMachineType.Q35,
            QemuVersion = "7.2.22",
            Machine = new PackageMachine { Accelerator = "tcg", CpuModel = "max" },
            Vcpus = 1,
            MemoryBytes = MemoryBytes,
            CreatedAt = DateTimeOffset.UnixEpoch,
            Entries = entries,
        });
        await File.WriteAllBytesAsync(Path.Combine(path, PackageManifest.FileName), manifest.ToUtf8(), token);
        return path;
    }
}
