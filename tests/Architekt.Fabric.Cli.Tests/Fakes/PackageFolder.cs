using System.Security.Cryptography;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Tests.Fakes;

/// <summary>A real package in a temporary folder: three entries of a few pages.</summary>
internal sealed class PackageFolder : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("architekt-cli-").FullName;

    public PackageFolder(string name = "guest", int seed = 1)
    {
        Path = Directory.CreateDirectory(System.IO.Path.Combine(_root, name)).FullName;
        var random = new Random(seed);
        var entries = new List<PackageEntry>();
        foreach (var entry in new[] { "kernel", "initramfs", "disk" })
        {
            var content = new byte[64 * 1024];
            random.NextBytes(content.AsSpan(0, 8192));
            File.WriteAllBytes(System.IO.Path.Combine(Path, entry), content);
            entries.Add(new PackageEntry { Name = entry, Size = content.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) });
        }

        var manifest = new PackageManifest
        {
            FormatVersion = 1,
            Name = name,
            Kind = PackageKind.Blueprint,
            Architecture = "x86_64",
            MachineType = PackageMachineType.Q35,
            Vcpus = 2,
            MemoryBytes = 64 << 20,
            KernelCommandLine = "console=ttyS0",
            AgentPorts = new AgentPorts { Agent = "org.architekt.agent" },
            CreatedAt = DateTimeOffset.UnixEpoch,
            Labels = new Dictionary<string, string> { ["team"] = "cache" },
            Entries = entries,
        };
        File.WriteAllBytes(this["manifest.json"], manifest.ToUtf8());
    }

    public string Path { get; }

    public string this[string file] => System.IO.Path.Combine(Path, file);

    public string Beside(string file) => System.IO.Path.Combine(_root, file);

    public void Damage(string entry)
    {
        var content = File.ReadAllBytes(this[entry]);
        content[0] ^= 1;
        File.WriteAllBytes(this[entry], content);
    }

    /// <summary>Writes it as an archive, by way of a store, and returns where.</summary>
    public async Task<string> ArchiveAsync()
    {
        var store = await PackageStore.OpenAsync(Beside("store"), null, TestContext.Current.CancellationToken);
        var package = await store.ImportAsync(Path, null, null, TestContext.Current.CancellationToken);
        return (await ArkWriter.WriteAsync(package, Beside("guest.ark"), null, null, TestContext.Current.CancellationToken)).Path;
    }

    public void Dispose()
    {
        // Sealed folders cannot be emptied by anyone but root.
        foreach (var folder in Directory.EnumerateDirectories(_root, "*", SearchOption.AllDirectories))
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(_root, recursive: true);
    }
}
