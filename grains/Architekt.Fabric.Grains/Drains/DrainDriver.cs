using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>Drives a drain to its end: feeds <see cref="DrainBoard"/>, records what it decides before it is done, and tells watchers.</summary>
internal sealed partial class DrainDriver(
    DrainPlan plan, DrainBoard board, DrainSurvey survey, DrainMover mover, IDrainStore drains, DrainLog log, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _retryDelay = TimeSpan.FromMilliseconds(250);
    private readonly Dictionary<DrainMove, Task<MigrationResult?>> _moves = [];
    private readonly Dictionary<DrainMove, string> _refusals = [];
    private readonly Dictionary<DrainMove, Task<bool>> _cancelling = [];
    private readonly SemaphoreSlim _recording = new(1, 1);
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DrainState? _recorded;

    /// <summary>Cancels the drain. Returns when that is recorded; what moves has been asked to stop by then, and may still be about to.</summary>
    public async Task CancelAsync()
    {
        board.Cancel();
        await RecordAsync(CancellationToken.None);
        CancelMoves();
        _woken.TrySetResult();
    }

    public void Dispose() => _recording.Dispose();

    public async Task<DrainResult> RunAsync(CancellationToken cancellationToken)
    {
        // What had been begun, or was about to be, when the last driver ended.
        foreach (var move in board.Moving) Follow(move, cancellationToken);
        while (true)
        {
            if (await StepAsync(cancellationToken) is { } view) return await EndAsync(view, cancellationToken);
            var pause = Task.Delay(_interval, time, cancellationToken);
            await Task.WhenAny([.. _moves.Values, _woken.Task, pause]);
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Looks and acts once; the last look if the drain is through.</summary>
    private async Task<DrainView?> StepAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Before the look, never after it: what has left by now may still have been there when the look began.
            await TakeEndedAsync();
            var view = await survey.LookAsync(plan, board.Moving.Select(static move => move.Operation).ToHashSet(), cancellationToken);
            board.Look(view, time.GetUtcNow());
            if (board.IsEnding(time.GetUtcNow())) CancelMoves();
            while (board.Next(view, time.GetUtcNow()) is { } move)
            {
                await RecordAsync(cancellationToken);
                Follow(move, cancellationToken);
            }

            var isThrough = board.TryFinish(view, time.GetUtcNow());
            await RecordAsync(cancellationToken);
            return isThrough ? view : null;
        }
        catch (FabricException error) when (error.IsTransient)
        {
            LogNotSeen(plan.Operation, error.Message);
            return null;
        }
    }

    private void Follow(DrainMove move, CancellationToken cancellationToken) => _moves[move] = MoveAsync(move, cancellationToken);

    private async Task TakeEndedAsync()
    {
        foreach (var (move, moving) in _moves.Where(static move => move.Value.IsCompleted).ToList())
        {
            _moves.Remove(move);
            if (await moving is { } result) board.Ended(result, time.GetUtcNow());
            else if (_refusals.Remove(move, out var reason)) board.NotBegun(move, reason, time.GetUtcNow());
        }
    }

    /// <summary>Null if it could not be begun.</summary>
    private async Task<MigrationResult?> MoveAsync(DrainMove move, CancellationToken cancellationToken)
    {
        try
        {
            await mover.BeginAsync(move, cancellationToken);
        }
        catch (FabricException error)
        {
            LogNotBegun(move.Operation, error.Message);
            if (error.Code is not (FabricErrorCode.Unavailable or FabricErrorCode.Timeout) || !await IsBegunAsync(move, cancellationToken))
            {
                _refusals[move] = error.Message;
                return null;
            }
        }

        return await mover.WaitAsync(move, cancellationToken);
    }

    private async Task<bool> IsBegunAsync(DrainMove move, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await mover.IsBegunAsync(move, cancellationToken);
            }
            catch (FabricException error) when (error.IsTransient)
            {
                await Task.Delay(_retryDelay, time, cancellationToken);
            }
        }
    }

    private void CancelMoves()
    {
        foreach (var move in board.Moving)
        {
            // Again only if nobody answered, or there was nothing to cancel yet.
            if (!_cancelling.TryGetValue(move, out var cancelling) || cancelling is { IsCompletedSuccessfully: true, Result: false })
                _cancelling[move] = mover.CancelAsync(move);
        }
    }

    private async Task RecordAsync(CancellationToken cancellationToken)
    {
        log.Report(board.Vms);

        // One after the other, or an older state could be written over a newer one.
        await _recording.WaitAsync(cancellationToken);
        try
        {
            var state = board.State;
            if (_recorded is not null && state.IsCancelRequested == _recorded.IsCancelRequested && state.Vms.SequenceEqual(_recorded.Vms)) return;
            await InsistAsync(() => drains.WriteStateAsync(plan.Operation, state, cancellationToken), cancellationToken);
            _recorded = state;
        }
        finally
        {
            _recording.Release();
        }
    }

    private async Task InsistAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                LogNotSeen(plan.Operation, error.Message);
                await Task.Delay(_retryDelay, time, cancellationToken);
            }
        }
    }

    private async Task<DrainResult> EndAsync(DrainView view, CancellationToken cancellationToken)
    {
        var result = DrainOutcome.Of(plan, board, isEmpty: view.Vms.Count == 0, log.ElapsedMs);
        await InsistAsync(() => drains.EndAsync(result, cancellationToken), cancellationToken);
        log.Report(board.Vms, result);
        LogEnded(plan.Operation, plan.Host, result.Outcome, result.Reason);
        return result;
    }

    [LoggerMessage(1503, LogLevel.Warning, "Drain {Operation} cannot look at, or record, its way now: {Reason}")]
    private partial void LogNotSeen(string operation, string reason);

    [LoggerMessage(1504, LogLevel.Warning, "Migration {Operation} could not be begun: {Reason}")]
    private partial void LogNotBegun(string operation, string reason);

    [LoggerMessage(1505, LogLevel.Information, "Drain {Operation} of {Host} ended: {Outcome}. {Reason}")]
    private partial void LogEnded(string operation, string host, OperationOutcome outcome, string? reason);
}
