using Architekt.Fabric.Grains;
using Architekt.Fabric.Memory;
using Architekt.Fabric.Silo.Runtime;
using Microsoft.Extensions.Options;

namespace Architekt.Fabric.Silo.Ownership;

/// <summary>Takes over VMs of other hosts: those whose lease has ended, and those nobody owns that are to go on. The row decides which host gets one.</summary>
internal sealed partial class TakeoverService(
    HostRuntime runtime,
    VmStarter starter,
    IOwnershipStore ownership,
    IHostStore hosts,
    IGrainFactory grains,
    IOptions<FabricOptions> options,
    TimeProvider time,
    ILogger<TakeoverService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // A host that has the package starts it at once; one that would have to fetch it leaves them this much of a start.
    private static readonly TimeSpan OthersFirst = TimeSpan.FromSeconds(5);
    private readonly LeaseWatch _watch = new(options.Value.LeaseDuration, options.Value.LeaseMargin);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                LogFailed(error);
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var leases = await ownership.ListForeignLeasesAsync(runtime.HostName, cancellationToken);
        foreach (var (lease, since) in _watch.Observe(leases, BootClock.Now))
        {
            // One that is cordoned takes nothing, and one that was declared dead has to clear up first.
            if ((await hosts.ListAsync(cancellationToken)).Any(host => host.Name == runtime.HostName && (host.IsCordoned || host.State == HostState.Dead))) return;
            await TakeAsync(lease, since, cancellationToken);
        }
    }

    private async Task TakeAsync(LeaseSighting lease, TimeSpan since, CancellationToken cancellationToken)
    {
        var (info, machine) = (lease.Vm.Info, lease.Vm.Machine);
        if (runtime.RefusalsOf(info.Name, machine, isStopped: false) is [var refusal, ..])
        {
            LogCannot(info.Name, refusal);
            return;
        }

        if (await runtime.FindPackageAsync(machine.PackageDigest, cancellationToken) is null)
        {
            if (since >= OthersFirst) await FetchAsync(machine, cancellationToken);
            return;
        }

        var claimed = await ownership.ClaimAsync(lease, runtime.HostName, options.Value.LeaseMargin, options.Value.LeaseDuration, cancellationToken);
        if (claimed is null) return;
        LogTaken(info.Name, info.Host, claimed.Info.Epoch);
        await starter.StartAsync(claimed, cancellationToken);
    }

    /// <summary>Begins a pull; one of the next looks finds the package.</summary>
    private async Task FetchAsync(MachineDescription machine, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IPackageGrain>(new PackageKey(runtime.HostName, machine.PackageDigest).ToString()).PullAsync(name: null, cancellationToken);
        }
        catch (Exception error) when (error is FabricException or Orleans.Runtime.OrleansException or TimeoutException)
        {
            LogCannot(machine.Package, error.Message);
        }
    }

    [LoggerMessage(2421, LogLevel.Warning, "VMs of other hosts could not be looked after now")]
    private partial void LogFailed(Exception error);

    [LoggerMessage(2422, LogLevel.Warning, "{Vm} cannot be taken over: {Reason}")]
    private partial void LogCannot(string vm, string reason);

    [LoggerMessage(2423, LogLevel.Warning, "{Vm} was taken over from {Host} with epoch {Epoch}")]
    private partial void LogTaken(string vm, string host, long epoch);
}
