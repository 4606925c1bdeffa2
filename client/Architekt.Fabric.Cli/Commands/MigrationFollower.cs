using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Watches a migration to its end, or until it is told to let go; prints the one result either way.</summary>
internal sealed class MigrationFollower(CommandContext context, FabricClient client, MigrationOperation operation, OperationInfo info)
{
    private TransferCounters _transfer = TransferCounters.None;

    public async Task<ExitCode> FollowAsync()
    {
        MigrationResult result;
        try
        {
            result = await MigrationDisplay.Create(context, info).RunAsync(WatchAsync).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Token.IsCancellationRequested)
        {
            context.Note($"Detached; the migration goes on. Watch it again with: fabric operation watch {operation.Id}");
            PrintUnfinished();
            return ExitCode.Cancelled;
        }
        catch (FabricException error)
        {
            var code = context.Report(error);
            context.Note($"The migration may go on. Watch it again with: fabric operation watch {operation.Id}");
            PrintUnfinished();
            return code;
        }

        if (result.Outcome == OperationOutcome.Succeeded) PrintSuccess(result);
        else await PrintFailureAsync(result).ConfigureAwait(false);
        return ExitCodes.Of(result);
    }

    /// <summary>Prints what was accepted and leaves.</summary>
    public ExitCode Detach()
    {
        if (context.IsJson || context.IsQuiet) PrintUnfinished();
        else context.Host.Out.WriteLine($"Started operation {operation.Id}. Watch it with: fabric operation watch {operation.Id}");
        return ExitCode.Ok;
    }

    private async Task<MigrationResult> WatchAsync(Action<MigrationProgress> show)
    {
        await foreach (var report in operation.WatchAsync(0, context.Token).ConfigureAwait(false))
        {
            _transfer = report.Transfer;
            show(report);
            if (report.Result is { } result) return result;
        }

        throw new FabricException(FabricErrorCode.Internal, $"The reports of operation '{operation.Id}' ended without a result.");
    }

    private void PrintUnfinished()
    {
        if (context.IsJson) context.Json.WriteObject(MigrationReport.Unfinished(info, _transfer));
        else if (context.IsQuiet) context.Host.Out.WriteLine(operation.Id);
    }

    private void PrintSuccess(MigrationResult result)
    {
        if (context.IsJson) context.Json.WriteObject(MigrationReport.Ended(result));
        else if (context.IsQuiet) context.Host.Out.WriteLine(result.Operation);
        else foreach (var line in MigrationText.Success(result)) context.Host.Out.WriteLine(line);
    }

    private async Task PrintFailureAsync(MigrationResult result)
    {
        if (context.IsJson) context.Json.WriteObject(MigrationReport.Ended(result));
        else if (context.IsQuiet) context.Host.Out.WriteLine(result.Operation);

        var code = result.ErrorCode ?? (result.Outcome == OperationOutcome.Cancelled ? FabricErrorCode.Cancelled : FabricErrorCode.Failed);
        var isTransient = code is FabricErrorCode.Unavailable or FabricErrorCode.Timeout;
        ErrorReport.Write(context.Host, context.IsJson, new FabricException(code, MigrationText.Failure(result), isTransient));
        if (context.IsJson) return;
        // The result knows the owner; only the VM itself knows whether it still runs.
        context.Note(MigrationText.Whereabouts(result, await LookAsync().ConfigureAwait(false)));
        context.Note(MigrationText.NextStep(result));
    }

    private async Task<VmInfo?> LookAsync()
    {
        try
        {
            return await client.FindVmAsync(info.Vm!, context.Token).ConfigureAwait(false);
        }
        catch (FabricException)
        {
            return null;
        }
    }
}
