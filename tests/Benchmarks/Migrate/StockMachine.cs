using System.Diagnostics;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Qemu;

namespace Architekt.Fabric.Benchmarks.Migrate;

/// <summary>A plain QEMU on one of the hosts.</summary>
internal sealed class StockMachine : IAsyncDisposable
{
    private static readonly TimeSpan _startDeadline = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private readonly string _folder;

    private StockMachine(BenchHost host, Process process, QmpClient qmp, string folder)
    {
        Host = host;
        _process = process;
        Qmp = qmp;
        _folder = folder;
    }

    public BenchHost Host { get; }

    public QmpClient Qmp { get; }

    public static async Task<StockMachine> StartAsync(
        BenchHost host, QemuMachine template, string tap, string folder, bool incoming, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var machine = template with
        {
            QmpSocketPath = Path.Combine(folder, "qmp.sock"),
            ConsoleSocketPath = Path.Combine(folder, "console.sock"),
            LivenessSocketPath = Path.Combine(folder, "liveness.sock"),
            AgentSocketPath = Path.Combine(folder, "agent.sock"),
            Incoming = incoming,
        };
        var process = host.Start("qemu-system-x86_64", Arguments(machine, tap));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_startDeadline);
        try
        {
            var qmp = await ConnectAsync(machine.QmpSocketPath, process, deadline.Token);
            return new StockMachine(host, process, qmp, folder);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Qmp.DisposeAsync();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The fabric's machine, but with RAM of QEMU's own, a TAP that QEMU opens by name, and a device state as QEMU writes it by itself.</summary>
    private static IEnumerable<string> Arguments(QemuMachine machine, string tap)
    {
        foreach (var argument in QemuCommandLine.Build(machine))
        {
            if (argument.StartsWith("memory-backend-file,", StringComparison.Ordinal)) yield return $"memory-backend-ram,id=ram0,size={machine.MemoryBytes}";
            else if (argument.StartsWith("tap,id=net0,", StringComparison.Ordinal)) yield return $"tap,id=net0,ifname={tap},script=no,downscript=no,vhost=off";
            else yield return argument.Replace(",suppress-vmdesc=on", "", StringComparison.Ordinal);
        }
    }

    private static async Task<QmpClient> ConnectAsync(string socket, Process process, CancellationToken cancellationToken)
    {
        while (!File.Exists(socket))
        {
            if (process.HasExited) throw new InvalidOperationException($"QEMU ended with {process.ExitCode} before it listened on {socket}.");
            await Task.Delay(TimeSpan.FromMilliseconds(2), cancellationToken);
        }
        return await QmpClient.ConnectAsync(socket, TimeProvider.System, cancellationToken);
    }
}
