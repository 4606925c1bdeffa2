using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Core.Internal;
using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>
/// Keeps the driver of one migration. It lives on the destination's silo, so that commit and grant are local to the pause; if that silo is
/// gone, the source's takes it up.
/// </summary>
[GrainType(PinnedGrainTypes.Migration)]
[HostPinned, KeepAlive, Immovable, Reentrant]
internal sealed partial class MigrationGrain : PinnedGrain, IMigrationGrain, IMigrationKeeper, IRemindable, IDisposable
{
    private const string DriveReminder = "drive";
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);
    private readonly TimeProvider _time;
    private readonly ILogger<MigrationGrain> _logger;
    private readonly MigrationDriver _driver;

    public MigrationGrain(
        HostLocator locator, IVmStore vms, IOperationStore operations, PackageEnsurer packages, TimeProvider time, ILogger<MigrationGrain> logger, IMigrationGate? gate = null)
        : base(locator)
    {
        _time = time;
        _logger = logger;
        _driver = new MigrationDriver(
            this.GetPrimaryKeyString(), host => GrainFactory.GetGrain<IHostControl>(host), packages, vms, operations, this, time, logger, gate);
    }

    public Task StartAsync(CancellationToken cancellationToken) => _driver.StartAsync(cancellationToken);

    public Task<MigrationProgress> GetAsync(CancellationToken cancellationToken) => _driver.GetAsync(cancellationToken);

    public IAsyncEnumerable<MigrationProgress> WatchAsync(long afterSequence, CancellationToken cancellationToken) =>
        _driver.WatchAsync(afterSequence, cancellationToken);

    public Task CancelAsync(CancellationToken cancellationToken) => _driver.CancelAsync(cancellationToken);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await StartAsync(CancellationToken.None);

        // It has ended, and whoever ended it could not say so.
        if (!_driver.IsDriving) await ForgetReminderAsync();
    }

    public Task BegunAsync(MigrationPlan plan) => this.RegisterOrUpdateReminder(DriveReminder, ReminderPeriod, ReminderPeriod);

    public async Task EndedAsync(MigrationPlan plan, bool isCommitted)
    {
        if (isCommitted) await MoveVmGrainAsync(plan);
        await ForgetReminderAsync();
    }

    public void Lost() => DeactivateOnIdle();

    public void Dispose() => _driver.Dispose();

    private async Task ForgetReminderAsync()
    {
        if (await this.GetReminder(DriveReminder) is { } reminder) await this.UnregisterReminder(reminder);
    }

    /// <summary>Orleans' own migration is advisory and silent, so it is asked for and then looked at.</summary>
    private async Task MoveVmGrainAsync(MigrationPlan plan)
    {
        var vm = GrainFactory.GetGrain<IVmGrain>(plan.Vm);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                if (await vm.WhereAsync() == plan.Destination) return;
                await vm.Cast<IGrainManagementExtension>().MigrateOnIdle();
            }
            catch (Exception error) when (error is OrleansException or TimeoutException or FabricException)
            {
                LogGrainNotAsked(plan.Vm, plan.Destination, error);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), _time);
        }

        LogGrainStayed(plan.Vm, plan.Destination);
    }

    [LoggerMessage(1104, LogLevel.Warning, "The grain of {Vm} has not moved to {Host} yet; its activation guard will move it at the next activation")]
    private partial void LogGrainStayed(string vm, string host);

    [LoggerMessage(1105, LogLevel.Warning, "The grain of {Vm} could not be asked to move to {Host}; it is tried again")]
    private partial void LogGrainNotAsked(string vm, string host, Exception error);
}
