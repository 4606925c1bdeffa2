using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Grains;

/// <summary>Begins one migration of a drain and sees it to its end, which is what is recorded: whoever drives it may die on the way.</summary>
internal sealed partial class DrainMover(IGrainFactory grains, IOperationStore operations, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(250);

    /// <summary>Begins it, or joins it.</summary>
    /// <exception cref="FabricException">It could not be begun. If the code is Unavailable or Timeout, it may have been.</exception>
    public async Task BeginAsync(DrainMove move, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IVmGrain>(move.Vm).MigrateAsync(new MigrationRequest(move.Operation, move.Destination, new MigrationOptions()), cancellationToken);
        }
        catch (Exception error) when (error is OrleansException or TimeoutException)
        {
            throw FabricException.Unavailable($"the host of '{move.Vm}' does not answer: {error.Message}", error);
        }
    }

    /// <summary>Whether it was begun; asked after an attempt to begin it whose outcome is unknown.</summary>
    public async Task<bool> IsBegunAsync(DrainMove move, CancellationToken cancellationToken) =>
        await operations.FindAsync(move.Operation, cancellationToken) is not null;

    public async Task<MigrationResult> WaitAsync(DrainMove move, CancellationToken cancellationToken)
    {
        var looking = Task.CompletedTask;
        while (true)
        {
            try
            {
                if (await operations.FindResultAsync(move.Operation, cancellationToken) is { } result) return result;
            }
            catch (FabricException error) when (error.IsTransient)
            {
                LogNotSeen(move.Operation, error.Message);
            }

            // A migration whose silo ended goes on when somebody asks for it.
            if (looking.IsCompleted) looking = AskAsync(move.Operation, cancellationToken);
            await Task.Delay(_interval, time, cancellationToken);
        }
    }

    /// <summary>Cancels it if that is still possible; if not, it goes on. False if nobody could say which.</summary>
    public async Task<bool> CancelAsync(DrainMove move)
    {
        try
        {
            await grains.GetGrain<IMigrationGrain>(move.Operation).CancelAsync();
            return true;
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException)
        {
            LogNotCancelled(move.Operation, error.Message);
            return error is FabricException { Code: FabricErrorCode.Conflict };
        }
    }

    private async Task AskAsync(string operation, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IMigrationGrain>(operation).GetAsync(cancellationToken);
        }
        catch (Exception error) when (error is FabricException or OrleansException or TimeoutException or OperationCanceledException)
        {
            LogNotSeen(operation, error.Message);
        }
    }

    [LoggerMessage(1501, LogLevel.Debug, "Migration {Operation} cannot be looked at now: {Reason}")]
    private partial void LogNotSeen(string operation, string reason);

    [LoggerMessage(1502, LogLevel.Information, "Migration {Operation} is not cancelled: {Reason}")]
    private partial void LogNotCancelled(string operation, string reason);
}
