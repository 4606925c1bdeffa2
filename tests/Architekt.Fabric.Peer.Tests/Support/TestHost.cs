using Architekt.Fabric.Network;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>
/// A folder in shared memory, short enough for unix sockets, that instances live in, and a bridge for their network cards where this process
/// may make one; gone after the tests.
/// </summary>
internal sealed class TestHost : IDisposable
{
    private const long MemoryBytes = 256 << 20;
    private readonly string _id = Guid.NewGuid().ToString("N")[..12];
    private readonly IpCommand _ip = new();
    private string? _bridge;

    public TestHost() => Directory.CreateDirectory(Path);

    public string Path => $"/dev/shm/fp-{_id}";

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
        if (Environment.IsPrivilegedProcess && _bridge is null)
        {
            _bridge = $"fp{_id}";
            await new HostBridge(_ip).EnsureAsync(_bridge, uplink: null, TestContext.Current.CancellationToken);
        }

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
            Bridge = _bridge,
            TapName = _bridge is null ? null : TapName.For(name, epoch),
            Mac = _bridge is null ? null : MacAddress.Generate(_id).ToString(),
        });
    }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        if (_bridge is not null) _ip.RunAsync(["link", "delete", "dev", _bridge], CancellationToken.None).GetAwaiter().GetResult();
    }
}
