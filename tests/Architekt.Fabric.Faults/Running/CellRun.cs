using System.Diagnostics;
using Architekt.Fabric.Client;
using Architekt.Fabric.Demo.Load;
using Architekt.Fabric.Faults.History;
using Architekt.Fabric.Faults.Hosts;
using Architekt.Fabric.Faults.Matrix;

namespace Architekt.Fabric.Faults.Running;

/// <summary>
/// One cell: a migration is held where the cell says, the fault is done, the migration goes on, and all that must hold afterwards is looked at. The fabric must be
/// quiet before, and is quiet after a cell that passed.
/// </summary>
internal sealed class CellRun(FaultFabric fabric, Cell cell, string operation)
{
    private static readonly TimeSpan _endLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan _noticeLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan _secondLimit = TimeSpan.FromSeconds(60);
    private string? _outcome;
    private bool _lived = true;
    private double? _seconds, _quietSeconds, _gapSeconds;

    public async Task<CellResult> RunAsync(CancellationToken cancellationToken)
    {
        string? failure = null;
        try
        {
            await PassAsync(cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            failure = error is CellFailedException ? error.Message : error.ToString();
        }

        return new CellResult(cell, _outcome, _lived, _seconds, _quietSeconds, _gapSeconds, failure);
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        await using var client = fabric.CreateClient();
        var before = await fabric.Record.FindVmAsync(fabric.Vm, cancellationToken);
        var source = fabric.Host(before.Host);
        var destination = fabric.Other(source);
        await using var load = await fabric.StartLoadAsync();

        var gate = await HoldAsync(client, destination.Name, cancellationToken);
        var next = (await fabric.Record.TryFindOperationAsync(operation, cancellationToken))!.Epoch;
        var held = new Migrating(source, destination, source.FindProcesses(fabric.Vm, before.Epoch), destination.FindProcesses(fabric.Vm, next));
        var began = Stopwatch.GetTimestamp();
        await fabric.Injector.InjectAsync(cell.Fault, held, cancellationToken);
        if (cell.Fault.IsFatal()) await UntilNoticedAsync(held, before.Epoch, next, cancellationToken);
        gate.Open();
        var ended = await UntilEndedAsync(began, cancellationToken);
        (_outcome, _seconds) = (ended.Outcome, Stopwatch.GetElapsedTime(began).TotalSeconds);

        // Some faults outlast the migration.
        var rest = cell.Fault.Duration() - Stopwatch.GetElapsedTime(began);
        if (rest > TimeSpan.Zero) await Task.Delay(rest, cancellationToken);
        await fabric.Injector.HealAsync(cancellationToken);
        _quietSeconds = (await fabric.UntilQuietAsync(cancellationToken)).TotalSeconds;

        var after = await fabric.Record.FindVmAsync(fabric.Vm, cancellationToken);
        _lived = !after.HasEnded;
        CheckOutcome(ended, before, after);
        await CheckHistoryAsync(cancellationToken);
        if (_lived) _gapSeconds = await MigrateAgainAsync(client, load, cancellationToken) / 1000;
        else await ReviveGuestAsync(client, after, cancellationToken);
        await fabric.UntilQuietAsync(cancellationToken);
        await CheckHistoryAsync(cancellationToken);
    }

    /// <summary>Starts the migration and holds it at the stage.</summary>
    private async Task<Gate> HoldAsync(FabricClient client, string destination, CancellationToken cancellationToken)
    {
        // Only a migration that fails or is cancelled gets to be rolled back.
        var isCancelled = cell.Stage.Phase == MigrationPhase.RollBack;
        var first = isCancelled ? new Gate(fabric.GateFolder, operation, "Switch") : null;
        var gate = new Gate(fabric.GateFolder, operation, cell.Stage.Gate);
        var migration = await client.StartMigrationAsync(fabric.Vm, destination, operationId: operation, cancellationToken: cancellationToken);
        if (first is not null)
        {
            await first.UntilReachedAsync(DescribeAsync, cancellationToken);

            // It returns when the migration has ended, if the silo it asks lives that long.
            _ = CancelAsync(migration, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            first.Open();
        }

        await gate.UntilReachedAsync(DescribeAsync, cancellationToken);
        return gate;

        async Task<string> DescribeAsync() =>
            await fabric.Record.TryFindOperationAsync(operation, cancellationToken) is { } row ? $"{row.Outcome} in {row.Phase}. {row.Reason}" : "no record of it";
    }

    /// <summary>Its host sees a death within moments and acts on it. Only then the migration goes on: what was done about it must not be what breaks it.</summary>
    private async Task UntilNoticedAsync(Migrating held, long epoch, long next, CancellationToken cancellationToken)
    {
        var (host, instance) = cell.Fault.Target() == Side.Source ? (held.Source, epoch) : (held.Destination, next);
        await Until.NothingAsync(
            () => Task.FromResult(host.Instances().Contains($"{fabric.Vm}.{instance}") ? $"{host.Name} has not noticed the death" : null),
            _noticeLimit,
            cancellationToken);
    }

    private static async Task CancelAsync(MigrationOperation migration, CancellationToken cancellationToken)
    {
        try
        {
            await migration.CancelAsync(cancellationToken);
        }
        catch (FabricException)
        {
            // The fault may be what it met.
        }
    }

    private async Task<OperationRow> UntilEndedAsync(long began, CancellationToken cancellationToken)
    {
        OperationRow? row = null;
        var duration = cell.Fault.Duration();
        await Until.NothingAsync(
            async () =>
            {
                if (duration == Timeout.InfiniteTimeSpan || Stopwatch.GetElapsedTime(began) < duration)
                    await fabric.Injector.ReviveSilosAsync(cancellationToken);
                else
                    await fabric.Injector.HealAsync(cancellationToken);
                row = await fabric.Record.TryFindOperationAsync(operation, cancellationToken);
                return row is { Outcome: not nameof(OperationOutcome.Running) } ? null : $"the migration has not ended: {row?.Phase ?? "Postgres does not answer"}";
            },
            _endLimit,
            cancellationToken);
        return row!;
    }

    private void CheckOutcome(OperationRow ended, VmRow before, VmRow after)
    {
        if (ended.Ends != 1) throw new CellFailedException($"the end of the migration was recorded {ended.Ends} times");
        if (ended.Outcome != nameof(OperationOutcome.Succeeded) && string.IsNullOrWhiteSpace(ended.Reason))
            throw new CellFailedException($"the migration {ended.Outcome} without a reason");
        if (after.HasEnded && !cell.MayEndGuest) throw new CellFailedException($"the guest was lost, though something could run it: {after.Reason} (migration: {ended.Outcome}, {ended.Reason})");
        if (after.HasEnded && string.IsNullOrWhiteSpace(after.Reason)) throw new CellFailedException($"'{fabric.Vm}' is {after.State} without a reason");

        // A guest that lives has moved if and only if the migration says so, except to a host that was away when its silo was to be asked.
        var hasMoved = after.Host != before.Host;
        var isOutOfReach = cell is { Fault: Fault.LoseDestinationSilo, Stage.Phase: MigrationPhase.Run or MigrationPhase.Clean or MigrationPhase.Done };
        if (!after.HasEnded && !isOutOfReach && hasMoved != (ended.Outcome == nameof(OperationOutcome.Succeeded)))
            throw new CellFailedException($"the migration {ended.Outcome} ({ended.Reason}), and '{fabric.Vm}' is on {after.Host} with epoch {after.Epoch}");
    }

    private async Task CheckHistoryAsync(CancellationToken cancellationToken)
    {
        var breaches = await fabric.FindBreachesAsync(cancellationToken);
        if (breaches.Count > 0) throw new CellFailedException(string.Join("; ", breaches));
    }

    /// <summary>The second migration, and the end of the load. Returns the longest gap the client saw, in ms.</summary>
    private async Task<double> MigrateAgainAsync(FabricClient client, RedisLoad load, CancellationToken cancellationToken)
    {
        var row = await fabric.Record.FindVmAsync(fabric.Vm, cancellationToken);
        var id = operation + "-again";
        var destination = fabric.Other(fabric.Host(row.Host)).Name;
        await FaultFabric.RepeatAsync(
            () => client.StartMigrationAsync(fabric.Vm, destination, operationId: id, cancellationToken: cancellationToken), cancellationToken);
        await Until.NothingAsync(
            async () => await fabric.Record.TryFindOperationAsync(id, cancellationToken) switch
            {
                { Outcome: nameof(OperationOutcome.Succeeded) } => null,
                { Outcome: nameof(OperationOutcome.Running) } running => $"the second migration is in {running.Phase}",
                var ended => throw new CellFailedException($"the second migration {ended?.Outcome ?? "was not recorded"}: {ended?.Reason}"),
            },
            _secondLimit,
            cancellationToken);
        var report = await load.FinishAsync();
        if (report.LostWrites > 0 || !report.ConnectionSurvived || report.AcknowledgedWrites == 0)
        {
            throw new CellFailedException(
                $"{report.LostWrites} of {report.AcknowledgedWrites} acknowledged writes are lost, connection {(report.ConnectionSurvived ? "survived" : "did not survive")}: {report.Failure}");
        }

        return report.All.LongestGapMs;
    }

    private async Task ReviveGuestAsync(FabricClient client, VmRow ended, CancellationToken cancellationToken)
    {
        await fabric.StartGuestAgainAsync(client, cancellationToken);
        var row = await fabric.Record.FindVmAsync(fabric.Vm, cancellationToken);
        if (row.Epoch < ended.Epoch) throw new CellFailedException($"started again, '{fabric.Vm}' has epoch {row.Epoch} after {ended.Epoch}");
        await using var load = await fabric.StartLoadAsync();
        await MigrateAgainAsync(client, load, cancellationToken);
    }
}
