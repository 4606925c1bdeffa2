using System.Globalization;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Faults.Hosts;

/// <summary>The fabric's Postgres, which can be ended as by a crash and started again.</summary>
internal sealed class PostgresProcess
{
    private static readonly TimeSpan _endDeadline = TimeSpan.FromSeconds(10);
    private readonly FaultOptions _options;
    private readonly Revival _revival;
    private ProcessIdentity _process;

    public PostgresProcess(FaultOptions options)
    {
        _options = options;
        var file = Path.Combine(options.RunFolder, "postgres", "data", "postmaster.pid");
        _process = ProcessIdentity.Of(int.Parse(File.ReadLines(file).First(), CultureInfo.InvariantCulture));
        _revival = Revival.Of(_process.Pid);
    }

    /// <summary>Its immediate shutdown (postgres(1)): all connections end, and it recovers at the next start.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        _process.Kill(ProcessSignal.Quit);
        if (!await _process.WaitForExitAsync(_endDeadline, cancellationToken)) throw new TimeoutException("Postgres does not end.");
    }

    public async Task ReviveAsync(CancellationToken cancellationToken)
    {
        if (_process.IsAlive()) return;
        _process = await _revival.StartAsync(
            _options.NamespacePrefix + "switch",
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"],
            Path.Combine(_options.LogFolder, "postgres.log"),
            cancellationToken);
    }
}
