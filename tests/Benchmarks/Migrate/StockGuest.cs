using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>
/// The same guest under plain QEMU, moved by QEMU's own live migration over TCP. Its disk is on storage both hosts share, as is customary
/// with stock QEMU, so that there is nothing to mirror: the fabric does that in addition.
/// </summary>
internal sealed class StockGuest(MigrateOptions options, IReadOnlyList<BenchHost> hosts, IReadOnlyList<IPAddress> addresses, PeerInstance like)
    : IMigratingGuest, IAsyncDisposable
{
    private const string Tap = "stock0";
    private const int Port = 44444;
    private const long Unlimited = 1L << 40;
    private static readonly TimeSpan _bootDeadline = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _migrationDeadline = TimeSpan.FromMinutes(2);

    private readonly string _folder = Path.Combine(options.RunFolder, "stock");
    private StockMachine? _machine;
    private int _started;

    public IPEndPoint Redis { get; } = new(options.StockAddress, 6379);

    /// <summary>QEMU's budget for the pause, in ms.</summary>
    public int DowntimeLimitMs { get; set; } = 300;

    private string Disk => Path.Combine(_folder, "disk.qcow2");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_folder);
        foreach (var host in hosts) await host.AddTapAsync(Tap);
        await RestartAsync(cancellationToken);
    }

    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        if (_machine is not null) await _machine.DisposeAsync();
        await Command.RunCheckedAsync(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", Path.Combine(options.GuestFolder, "disk"), Disk], cancellationToken: cancellationToken);
        _machine = await LaunchAsync(hosts[0], incoming: false, cancellationToken);
        await WaitForRedisAsync(cancellationToken);
    }

    public async Task<MigrationNumbers> MigrateAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_migrationDeadline);
        var source = _machine!;
        var to = hosts[0] == source.Host ? 1 : 0;
        var began = Stopwatch.GetTimestamp();
        var destination = await LaunchAsync(hosts[to], incoming: true, deadline.Token);
        try
        {
            foreach (var side in new[] { source, destination })
            {
                await side.Qmp.MigrateSetCapabilitiesAsync(new MigrationCapabilities(), deadline.Token);
                await side.Qmp.MigrateSetParametersAsync(new MigrationParameters { MaxBandwidth = Unlimited, DowntimeLimit = DowntimeLimitMs }, deadline.Token);
            }

            var uri = $"tcp:{addresses[to]}:{Port}";
            await destination.Qmp.MigrateIncomingAsync(uri, deadline.Token);
            var stop = source.Qmp.WaitForEventAsync(QmpEventNames.Stop, null, deadline.Token);
            var resume = destination.Qmp.WaitForEventAsync(QmpEventNames.Resume, null, deadline.Token);
            var completed = source.Qmp.WaitForMigrationAsync(MigrationStatus.Completed, deadline.Token);
            await source.Qmp.MigrateAsync(uri, deadline.Token);
            if ((await completed).MigrationStatus != MigrationStatus.Completed)
                throw new InvalidOperationException($"Stock QEMU's migration failed: {(await source.Qmp.QueryMigrateAsync(deadline.Token)).ErrorDesc}");

            var resumed = await resume;
            var info = await source.Qmp.QueryMigrateAsync(deadline.Token);
            _machine = destination;
            await source.DisposeAsync();
            return new MigrationNumbers(
                Stopwatch.GetElapsedTime(began).TotalMilliseconds,
                (resumed.Timestamp - (await stop).Timestamp).TotalMilliseconds,
                info.Ram?.Transferred ?? 0);
        }
        catch when (_machine == source)
        {
            await destination.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_machine is not null) await _machine.DisposeAsync();
    }

    private Task<StockMachine> LaunchAsync(BenchHost host, bool incoming, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(_folder, $"{host.Name}.{++_started}");
        var template = new QemuMachine
        {
            Name = "stock",
            Type = like.MachineType == "microvm" ? QemuMachineType.Microvm : QemuMachineType.Q35,
            Accelerator = like.Accelerator == "kvm" ? QemuAccelerator.Kvm : QemuAccelerator.Tcg,
            CpuModel = like.CpuModel,
            VirtualCpus = like.Vcpus,
            MemoryBytes = like.MemoryBytes,
            // Replaced by RAM of QEMU's own.
            MemoryPath = "/dev/null",
            KernelPath = Path.Combine(options.GuestFolder, "kernel"),
            InitrdPath = Path.Combine(options.GuestFolder, "initramfs"),
            KernelCommandLine = like.KernelCommandLine.Replace(options.FabricAddress.ToString(), options.StockAddress.ToString(), StringComparison.Ordinal),
            QmpSocketPath = "",
            ConsoleLogPath = Path.Combine(_folder, "console.log"),
            Disk = new QemuDisk(Disk, Path.Combine(options.GuestFolder, "disk")),
            // The descriptor is replaced by the TAP's name.
            Network = new QemuNetworkInterface(3, "52:54:00:77:00:60"),
        };
        return StockMachine.StartAsync(host, template, Tap, folder, incoming, cancellationToken);
    }

    private async Task WaitForRedisAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_bootDeadline);
        while (!await AnswersAsync(deadline.Token)) await Task.Delay(TimeSpan.FromMilliseconds(200), deadline.Token);
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(TimeSpan.FromSeconds(1));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(Redis, attempt.Token);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), attempt.Token);
            return await client.GetStream().ReadAsync(new byte[16], attempt.Token) > 0;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }
}
