namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A folder in shared memory, short enough for unix sockets, that instances live in; gone after the tests.</summary>
internal sealed class TestHost : IDisposable
{
    private const long MemoryBytes = 256 << 20;

    public TestHost() => Directory.CreateDirectory(Path);

    public string Path { get; } = $"/dev/shm/fp-{Guid.NewGuid().ToString("N")[..12]}";

    /// <summary>The folder of a blueprint, for guests that must boot.</summary>
    public static string RequireGuest()
    {
        var guest = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_GUEST");
        if (string.IsNullOrEmpty(guest)) Assert.Skip("ARCHITEKT_TEST_GUEST does not name a folder with a kernel, an initramfs and a disk.");
        return guest;
    }

    public static void RequireQemu()
    {
        foreach (var tool in new[] { "qemu-system-x86_64", "qemu-img" })
        {
            if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(System.IO.Path.Combine(folder, tool))))
                Assert.Skip($"{tool} is not installed.");
        }
    }

    /// <summary>Makes the folder of a new instance. Every instance has a disk and a console log of its own.</summary>
    public async Task<(string Folder, PeerInstance Instance)> CreateAsync(long epoch, string guest)
    {
        var name = $"guest.{epoch}-{Guid.NewGuid().ToString("N")[..6]}";
        var folder = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(folder);
        var disk = System.IO.Path.Combine(Path, $"{name}.qcow2");
        await new Qemu.QemuImg().CreateOverlayAsync(disk, System.IO.Path.Combine(guest, "disk"), TestContext.Current.CancellationToken);
        var log = System.IO.Path.Combine(Path, $"{name}.log");
        await File.WriteAllBytesAsync(log, [], TestContext.Current.CancellationToken);
        return (folder, new PeerInstance
        {
            Vm = "guest",
            Epoch = epoch,
            Host = "host-a",
            DataAddress = "127.0.0.1",
            QemuBinary = "qemu-system-x86_64",
            MachineType = "q35",
            Accelerator = "tcg",
            CpuModel = "max",
            Vcpus = 1,
            MemoryBytes = MemoryBytes,
            KernelPath = System.IO.Path.Combine(guest, "kernel"),
            InitramfsPath = System.IO.Path.Combine(guest, "initramfs"),
            KernelCommandLine = "console=ttyS0 quiet panic=-1 architekt.diskcheck=1",
            BaseDiskPath = System.IO.Path.Combine(guest, "disk"),
            OverlayDiskPath = disk,
            ConsoleLogPath = log,
            HasAgent = true,
        });
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
