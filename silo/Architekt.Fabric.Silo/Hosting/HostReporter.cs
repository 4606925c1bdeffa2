using Architekt.Fabric.Grains;

namespace Architekt.Fabric.Silo;

/// <summary>Records what this host says of itself, again and again.</summary>
internal sealed partial class HostReporter(IHostRuntime runtime, IHostStore hosts, TimeProvider time, ILogger<HostReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await hosts.ReportAsync(runtime.Describe(), stoppingToken);
            }
            catch (FabricException error)
            {
                LogNotReported(error.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(2202, LogLevel.Warning, "This host could not report: {Reason}")]
    private partial void LogNotReported(string reason);
}
