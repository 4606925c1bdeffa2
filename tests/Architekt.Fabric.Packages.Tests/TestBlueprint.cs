using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

namespace Architekt.Fabric.Packages.Tests;

/// <summary>A small blueprint in a folder of its own, and a manifest that tests bend.</summary>
internal sealed class TestBlueprint
{
    internal TestBlueprint(TempFolder temp, string name = "redis", int seed = 1, int diskSize = 64 * 1024)
    {
        Folder = Directory.CreateDirectory(Path.Combine(temp.Path, $"blueprint-{Guid.NewGuid():N}")).FullName;
        var random = new Random(seed);
        var entries = new List<PackageEntry>();
        foreach (var (entry, size) in new[] { ("kernel", 5000), ("initramfs", 3000), ("disk", diskSize) })
        {
            var content = new byte[size];
            random.NextBytes(content);
            File.WriteAllBytes(PathOf(entry), content);
            entries.Add(new PackageEntry { Name = entry, Size = size, Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) });
        }

        WriteManifest(Manifest(name, entries));
    }

    internal static PackageMachine Machine { get; } = new() { Accelerator = "tcg", CpuModel = "max", Mac = "52:54:00:12:34:56" };

    internal string Folder { get; }

    internal string ManifestPath => PathOf(PackageManifest.FileName);

    internal static PackageManifest Manifest(string name, IReadOnlyList<PackageEntry> entries) => new()
    {
        FormatVersion = 1,
        Name = name,
        Kind = PackageKind.Blueprint,
        Architecture = "x86_64",
        MachineType = PackageMachineType.Q35,
        Vcpus = 1,
        MemoryBytes = 256 << 20,
        KernelCommandLine = "console=ttyS0 quiet panic=-1",
        AgentPorts = new AgentPorts { Liveness = "org.architekt.liveness", Agent = "org.architekt.agent" },
        Entries = entries,
        CreatedAt = DateTimeOffset.UnixEpoch,
    };

    internal string PathOf(string file) => Path.Combine(Folder, file);

    internal void WriteManifest(PackageManifest manifest) => File.WriteAllBytes(ManifestPath, manifest.ToUtf8());

    internal void EditManifest(Action<JsonObject> edit)
    {
        var json = JsonNode.Parse(File.ReadAllBytes(ManifestPath))!.AsObject();
        edit(json);
        File.WriteAllText(ManifestPath, json.ToJsonString());
    }

    /// <summary>Replaces an entry by a file, and its size and digest in the manifest by that file's.</summary>
    internal void ReplaceEntry(string entry, Action<FileStream> write)
    {
        using (var file = File.Create(PathOf(entry)))
            write(file);
        using var content = File.OpenRead(PathOf(entry));
        var digest = Convert.ToHexStringLower(SHA256.HashData(content));
        EditManifest(json =>
        {
            var element = json["entries"]!.AsArray().Single(node => (string?)node!["name"] == entry)!;
            element["size"] = content.Length;
            element["sha256"] = digest;
        });
    }

    /// <summary>Makes it a package with this RAM and some device state.</summary>
    internal void AddMemory(Action<FileStream> write)
    {
        foreach (var entry in new[] { "memory", "state" })
        {
            EditManifest(json => json["entries"]!.AsArray().Add(new JsonObject { ["name"] = entry, ["size"] = 0, ["sha256"] = "" }));
            ReplaceEntry(entry, entry == "memory" ? write : file => file.Write("state"u8));
        }

        EditManifest(json =>
        {
            json["kind"] = "package";
            json["qemuVersion"] = "7.2.22";
            json["machine"] = new JsonObject { ["accelerator"] = Machine.Accelerator, ["cpuModel"] = Machine.CpuModel, ["mac"] = Machine.Mac };
            json["memoryBytes"] = new FileInfo(PathOf("memory")).Length;
        });
    }

    internal static long AllocatedBytes(string path)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", "%b", path]) { RedirectStandardOutput = true })!;
        var blocks = long.Parse(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return blocks * 512;
    }

    internal void MakePipe(string entry)
    {
        File.Delete(PathOf(entry));
        Assert.Equal(0, MakeFifo(PathOf(entry), 0x1B6));
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false)]
    private static extern int MakeFifo([MarshalAs(UnmanagedType.LPStr)] string path, uint mode);
}
