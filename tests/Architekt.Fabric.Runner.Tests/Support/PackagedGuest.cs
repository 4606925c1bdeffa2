using System.Security.Cryptography;
using Architekt.Fabric.Network;
using Architekt.Fabric.Packages;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Runner.Tests.Support;

/// <summary>A package with memory as a fabric makes it, with its card on a TAP; made by the first test that needs it.</summary>
public sealed class PackagedGuest : IAsyncLifetime
{
    private const long MemoryBytes = 256 << 20;
    private const string CommandLine = "console=ttyS0 quiet panic=-1 architekt.ip=10.77.0.50/24 architekt.gw=10.77.0.1";
    private readonly string _folder = $"/dev/shm/frp-{Guid.NewGuid().ToString("N")[..12]}";
    private string? _package;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<string> RequireAsync()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root can make a package whose network card is on a TAP.");
        return _package ??= await MakeAsync(RunnerHost.RequireBlueprint(), RunnerHost.RequirePeer());
    }

    public ValueTask DisposeAsync()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<string> MakeAsync(string blueprint, string peer)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var package = Directory.CreateDirectory(Path.Combine(_folder, "package")).FullName;
        var folder = new InstanceFolder(Path.Combine(_folder, "i"));
        var mac = MacAddress.Generate("packaged").ToString();
        var overlay = Path.Combine(_folder, "overlay");
        await new QemuImg().CreateOverlayAsync(overlay, Path.Combine(blueprint, "disk"), cancellationToken);
        var self = Fabric.Processes.ProcessIdentity.Current;
        await folder.CreateAsync(
            new PeerInstance
            {
                Vm = "packaged",
                Epoch = 1,
                Host = "test",
                DataAddress = "127.0.0.1",
                QemuBinary = "qemu-system-x86_64",
                MachineType = "q35",
                Accelerator = "tcg",
                CpuModel = "max",
                Vcpus = 1,
                MemoryBytes = MemoryBytes,
                KernelPath = Path.Combine(blueprint, "kernel"),
                InitramfsPath = Path.Combine(blueprint, "initramfs"),
                KernelCommandLine = CommandLine,
                BaseDiskPath = Path.Combine(blueprint, "disk"),
                OverlayDiskPath = overlay,
                ConsoleLogPath = Path.Combine(_folder, "console"),
                HasAgent = true,
                Mac = mac,
                TapName = TapName.For(_folder, 1),
                Keeper = new PeerKeeper(self.Pid, self.StartTicks),
            },
            keepsDisk: true,
            cancellationToken);
        var process = await PeerProcess.StartAsync(peer, folder, outlives: false, cancellationToken);
        using var client = new PeerClient(folder.Path);
        await PeerProcess.WaitUntilAnsweringAsync(client, process, TimeProvider.System, cancellationToken);
        await client.BootAsync(1, cancellationToken);
        await Deadline.UntilAsync(async () => (await client.GetStatusAsync(cancellationToken)).IsLive, () => "the guest says that it is up", 120);
        foreach (var name in new[] { "kernel", "initramfs" }) File.Copy(Path.Combine(blueprint, name), Path.Combine(package, name));
        await client.CheckpointAsync(new PeerCheckpoint(1, "make", package, KeepRunning: false), cancellationToken);
        await process.WaitForExitAsync(TimeSpan.FromSeconds(20), cancellationToken);
        await WriteManifestAsync(package, mac);
        return package;
    }

    /// <summary>A package of the right form whose guest is not even one.</summary>
    internal static async Task WriteEmptyAsync(string package, Func<PackageManifest, PackageManifest> change)
    {
        foreach (var (name, size) in new[] { ("kernel", 4096), ("initramfs", 4096), ("disk", 4096), ("memory", 2 << 20), ("state", 4096) })
            await File.WriteAllBytesAsync(Path.Combine(package, name), new byte[size]);
        await WriteManifestAsync(package, mac: null, manifest => change(manifest with { MemoryBytes = 2 << 20 }));
    }

    private static async Task WriteManifestAsync(string package, string? mac, Func<PackageManifest, PackageManifest>? change = null)
    {
        var entries = new List<PackageEntry>();
        foreach (var name in new[] { "kernel", "initramfs", "disk", "memory", "state" })
        {
            await using var content = File.OpenRead(Path.Combine(package, name));
            var digest = await SHA256.HashDataAsync(content, TestContext.Current.CancellationToken);
            entries.Add(new PackageEntry { Name = name, Size = content.Length, Sha256 = Convert.ToHexStringLower(digest) });
        }

        var manifest = new PackageManifest
        {
            FormatVersion = 1,
            Name = "packaged",
            Kind = PackageKind.Package,
            Architecture = "x86_64",
            MachineType = PackageMachineType.Q35,
            QemuVersion = (await QemuBinary.DetectAsync(QemuBinary.DefaultName, TestContext.Current.CancellationToken)).Version.ToString(),
            Machine = new PackageMachine { Accelerator = "tcg", CpuModel = "max", Mac = mac },
            Vcpus = 1,
            MemoryBytes = MemoryBytes,
            KernelCommandLine = CommandLine,
            AgentPorts = new AgentPorts { Liveness = "org.architekt.liveness", Agent = "org.architekt.agent" },
            CreatedAt = DateTimeOffset.UnixEpoch,
            Entries = entries,
        };
        await File.WriteAllBytesAsync(Path.Combine(package, PackageManifest.FileName), (change?.Invoke(manifest) ?? manifest).ToUtf8());
    }
}
