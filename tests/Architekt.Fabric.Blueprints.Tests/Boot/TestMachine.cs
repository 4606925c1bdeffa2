using System.Net;
using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Blueprints.Tests.Support;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Blueprints.Tests.Boot;

/// <summary>A blueprint in a real QEMU.</summary>
internal sealed class TestMachine : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly StdioQemu _qemu;

    /// <param name="blueprint">A blueprint's folder; its disk is not written to.</param>
    /// <param name="guestPort">A TCP port of the guest to be reached through <see cref="Port"/>.</param>
    /// <param name="append">More for the kernel's command line.</param>
    /// <param name="keepDisk">Whether the guest writes to the blueprint's disk itself.</param>
    internal TestMachine(BlueprintResult blueprint, int guestPort, string append = "", bool keepDisk = false)
    {
        Tool.Require("qemu-system-x86_64");
        Port = FreePort();
        var disk = Path.Combine(blueprint.Folder, PackageEntryNames.Disk);
        _qemu = new StdioQemu(
            [
                "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", $"{blueprint.Manifest.MemoryBytes >> 20}", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-kernel", Path.Combine(blueprint.Folder, PackageEntryNames.Kernel), "-initrd", Path.Combine(blueprint.Folder, PackageEntryNames.Initramfs),
                "-append", $"{blueprint.Manifest.KernelCommandLine} architekt.ip=10.0.2.15/24 architekt.gw=10.0.2.2 architekt.dns=10.0.2.3 {append}",
                "-drive", $"file={disk},format=raw,if=none,id=disk,snapshot={(keepDisk ? "off" : "on")}", "-device", "virtio-blk-pci,drive=disk",
                "-netdev", $"user,id=net,hostfwd=tcp:127.0.0.1:{Port}-:{guestPort}", "-device", "virtio-net-pci,netdev=net,romfile=",
                "-device", "virtio-serial-pci", .. SerialPort("agent"), .. SerialPort("liveness"),
                "-serial", $"file:{_folder["console"]}",
            ]);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The port of this machine that leads to the guest's.</summary>
    internal int Port { get; }

    internal string Console => File.Exists(_folder["console"]) ? File.ReadAllText(_folder["console"]) : "";

    /// <summary>Waits until the guest's liveness program says that the guest is up.</summary>
    internal async Task WaitUntilLiveAsync() => Assert.Contains("\"live\":true", await ReadLineAsync("liveness", null), StringComparison.Ordinal);

    /// <summary>Sends the guest's agent a request.</summary>
    /// <returns>Its reply.</returns>
    internal Task<string> AskAgentAsync(string request) => ReadLineAsync("agent", request);

    internal Task PressPowerButtonAsync() => _qemu.PressPowerButtonAsync(_patience, Cancellation);

    /// <summary>Waits until QEMU ends, as it does when its guest powers off.</summary>
    internal async Task WaitForPowerOffAsync()
    {
        try
        {
            await _qemu.WaitForExitAsync(_patience, Cancellation);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The guest does not power off. Its console:\n{Console}");
        }

        Assert.Equal(0, _qemu.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        await _qemu.DisposeAsync();
        _folder.Dispose();
    }

    private string[] SerialPort(string name) =>
        ["-chardev", $"socket,id={name},path={_folder[name]},server=on,wait=off", "-device", $"virtserialport,chardev={name},name=org.architekt.{name}"];

    private async Task<string> ReadLineAsync(string name, string? request)
    {
        using var socket = await ConnectAsync(name);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        try
        {
            if (request is not null)
            {
                // The greeting comes once the agent runs.
                await reader.ReadLineAsync(Cancellation).AsTask().WaitAsync(_patience, Cancellation);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(request + "\n"), Cancellation);
            }

            return await reader.ReadLineAsync(Cancellation).AsTask().WaitAsync(_patience, Cancellation) ?? "";
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The guest says nothing on its port {name}. Its console:\n{Console}");
            throw;
        }
    }

    private async Task<Socket> ConnectAsync(string name)
    {
        await _qemu.WaitUntilReadyAsync(_patience, Cancellation);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_folder[name]), Cancellation);
        return socket;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
