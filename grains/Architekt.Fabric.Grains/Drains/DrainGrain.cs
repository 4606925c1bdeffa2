using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Architekt.Fabric.Grains;

/// <summary>
/// One drain. It is pinned to no host, because any may end on the way: what it decides is recorded before it is done, so whichever silo activates it next drives it
/// on. Two activations at once would ask for the same migrations by the same ids.
/// </summary>
[GrainType("drain")]
[KeepAlive, Immovable, Reentrant]
internal sealed partial class DrainGrain(
    HostLocator locator,
    IVmStore vms,
    IHostStore hosts,
    IOperationStore operations,
    IDrainStore drains,
    TimeProvider time,
    ILogger<DrainGrain> logger) : Grain, IDrainGrain, IRemindable, IDisposable
{
    private const string DriveReminder = "drive";
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);
    private readonly CancellationTokenSource _leaving = new();
    private DrainDriver? _driver;
    private DrainLog? _log;

    private string Operation => this.GetPrimaryKeyString();

    public async Task<OperationInfo> BeginAsync(DrainRequest request, CancellationToken cancellationToken)
    {
        FabricNames.Require(Operation, "operation");
        FabricNames.Require(request.Host, "host");
        request.Options.Validate();
        var operation = await operations.FindAsync(Operation, cancellationToken);
        if (operation is null)
        {
            await CheckAsync(request, cancellationToken);
            operation = await drains.BeginAsync(new DrainPlan(Operation, request.Host, request.Options, time.GetUtcNow()), cancellationToken);
        }

        if (operation.Kind != OperationKinds.Drain) throw FabricException.Conflict($"Operation '{Operation}' is a {operation.Kind}, not a {OperationKinds.Drain}.");
        if (operation.Source != request.Host) throw FabricException.Conflict($"Operation '{Operation}' is about '{operation.Source}', not about '{request.Host}'.");
        await StartAsync(cancellationToken);
        return operation;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_driver is not null) return;
        var plan = await FindPlanAsync(cancellationToken);
        var recorded = await operations.FindAsync(Operation, cancellationToken);
        if (_driver is not null || recorded is not { Outcome: OperationOutcome.Running }) return;
        var state = await drains.ReadStateAsync(Operation, cancellationToken);
        if (_driver is not null) return;

        _log = new DrainLog(time, plan.RequestedAt);
        _driver = new DrainDriver(
            plan, new DrainBoard(plan, state), new DrainSurvey(vms, hosts, operations, locator), new DrainMover(GrainFactory, operations, time, logger), drains, _log, time, logger);
        _ = DriveAsync(_driver);
    }

    public async Task<DrainProgress> GetAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_log is not null) return _log.Latest;
        var result = await drains.FindResultAsync(Operation, cancellationToken) ?? throw FabricException.NotFound($"Drain '{Operation}' has no result.");
        return new DrainProgress(long.MaxValue, result.TotalMs, result.Vms, result);
    }

    public async IAsyncEnumerable<DrainProgress> WatchAsync(
        long afterSequence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var latest = await GetAsync(cancellationToken);
        if (_log is null) yield return latest;
        else await foreach (var report in _log.WatchAsync(afterSequence, cancellationToken)) yield return report;
    }

    public async Task CancelAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        if (_driver is null || _log?.Latest.Result is not null)
        {
            var ended = await operations.FindAsync(Operation, cancellationToken);
            throw FabricException.Conflict($"Drain '{Operation}' has ended already: {ended?.Outcome.ToString().ToLowerInvariant()}.");
        }

        await _driver.CancelAsync();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => await _leaving.CancelAsync();

    public void Dispose()
    {
        _driver?.Dispose();
        _leaving.Dispose();
    }

    public Task ReceiveReminder(string reminderName, TickStatus status) => StartAsync(CancellationToken.None);

    private async Task DriveAsync(DrainDriver driver)
    {
        try
        {
            await this.RegisterOrUpdateReminder(DriveReminder, ReminderPeriod, ReminderPeriod);
            await driver.RunAsync(_leaving.Token);
            if (await this.GetReminder(DriveReminder) is { } reminder) await this.UnregisterReminder(reminder);
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            // The next silo drives it on from what is recorded.
        }
        catch (Exception error)
        {
            LogDriveFailed(Operation, error);
            DeactivateOnIdle();
        }
    }

    private async Task CheckAsync(DrainRequest request, CancellationToken cancellationToken)
    {
        var known = (await hosts.ListAsync(cancellationToken)).Select(host => host.Name).ToList();
        foreach (var host in (request.Options.To ?? []).Prepend(request.Host))
        {
            if (!known.Contains(host)) throw FabricException.NotFound($"There is no host '{host}'; known are: {string.Join(", ", known)}.");
        }

        if (request.Options.To?.Contains(request.Host) is true) throw FabricException.Invalid($"The VMs of '{request.Host}' cannot be moved to '{request.Host}' itself.");
    }

    private async Task<DrainPlan> FindPlanAsync(CancellationToken cancellationToken) =>
        await drains.FindPlanAsync(Operation, cancellationToken) ?? throw FabricException.NotFound($"There is no drain '{Operation}'.");

    [LoggerMessage(1506, LogLevel.Error, "Drain {Operation} could not be driven on now")]
    private partial void LogDriveFailed(string operation, Exception error);
}
