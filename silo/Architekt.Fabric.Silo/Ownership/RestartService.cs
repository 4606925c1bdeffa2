using Architekt.Fabric.Grains;
using Architekt.Fabric.Silo.Peers;
using Architekt.Fabric.Silo.Runtime;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>Starts this host's VMs again that have failed and are to be. The row decides, so of two that try only one does.</summary>
internal sealed partial class RestartService(
    HostRuntime runtime, PeerSupervisor peers, VmStarter starter, IVmStore vms, IOwnershipStore ownership, TimeProvider time, ILogger<RestartService> logger)
    : BackgroundService
{
    private const string LeftAlone = "it is left alone";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var failed in await ownership.ListFailedAsync(runtime.HostName, stoppingToken))
                    await DecideAsync(failed, stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(error);
            }
        }
    }

    private async Task DecideAsync(FailedVm failed, CancellationToken cancellationToken)
    {
        var info = failed.Vm.Info;

        // What is left of it is still being cleared up, or somebody starts it by hand: who marks that first, here or in the row, goes on alone.
        if (peers.Find(info.Name, info.Epoch) is not null || runtime.IsStarting(info.Name, info.Epoch)) return;
        var decision = RestartPolicy.Decide(failed);
        if (decision.HasGivenUp && info.Reason?.EndsWith(LeftAlone, StringComparison.Ordinal) != true)
        {
            var reason = $"{info.Reason}; it was started again {RestartPolicy.Limit} times in a row, and {LeftAlone}";
            await vms.SetStateAsync(info.Name, info.Epoch, VmState.Failed, reason, $"'{info.Name}' is not started again: {reason}", cancellationToken);
        }

        if (!decision.IsDue) return;
        if (await ownership.RestartAsync(failed, decision.Restarts, runtime.DiskEpochOf(failed.Vm), cancellationToken) is { } restarted)
            await starter.StartAsync(restarted, cancellationToken);
    }

    [LoggerMessage(2411, LogLevel.Warning, "VMs that have failed could not be looked after now")]
    private partial void LogFailed(Exception error);
}
