using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Peers.Tests.Support;

/// <summary>A runtime folder short enough for unix sockets; gone after the tests.</summary>
internal sealed class TestHost : IDisposable
{
    public TestHost() => Directory.CreateDirectory(Path);

    public string Path { get; } = $"/dev/shm/fc-{Guid.NewGuid().ToString("N")[..12]}";

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public PeerInstance Instance(string vm = "redis", long epoch = 3) => new()
    {
        Vm = vm,
        Epoch = epoch,
        Host = "host-a",
        DataAddress = "127.0.0.1",
        QemuBinary = "qemu-system-x86_64",
        MachineType = "q35",
        Accelerator = "tcg",
        CpuModel = "max",
        Vcpus = 1,
        MemoryBytes = 64 << 20,
        KernelPath = "/none",
        KernelCommandLine = "",
        OverlayDiskPath = this[$"{vm}.{epoch}.qcow2"],
        BaseDiskPath = "/none",
        ConsoleLogPath = this[$"{vm}.{epoch}.log"],
    };

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
