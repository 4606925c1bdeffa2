using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo;

/// <summary>Records what this host says of itself, again and again.</summary>
internal sealed partial class HostReporter(IHostRuntime runtime, IHostStore hosts, TimeProvider time, ILogger<HostReporter> logger)
    : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>Before anything is started here: who declares this host dead from now on on the strength of what was seen before is refused.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        while (!await TryReportAsync(cancellationToken)) await Task.Delay(RetryInterval, time, cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await TryReportAsync(stoppingToken);
    }

    private async Task<bool> TryReportAsync(CancellationToken cancellationToken)
    {
        try
        {
            await hosts.ReportAsync(runtime.Describe(), cancellationToken);
            return true;
        }
        catch (FabricException error)
        {
            LogNotReported(error.Message);
            return false;
        }
    }

    [LoggerMessage(2202, LogLevel.Warning, "This host could not report: {Reason}")]
    private partial void LogNotReported(string reason);
}
