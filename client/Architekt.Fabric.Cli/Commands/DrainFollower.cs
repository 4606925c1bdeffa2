using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Watches a drain to its end, or until it is told to let go; prints the one result either way.</summary>
internal sealed class DrainFollower(CommandContext context, DrainOperation drain, string host)
{
    private readonly Dictionary<string, DrainedVm> _shown = [];

    public async Task<ExitCode> FollowAsync()
    {
        DrainResult result;
        try
        {
            result = await WatchAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Token.IsCancellationRequested)
        {
            context.Note($"Detached; the drain goes on. Watch it again with: fabric operation watch {drain.Id}");
            PrintUnfinished();
            return ExitCode.Cancelled;
        }
        catch (FabricException error)
        {
            var code = context.Report(error);
            context.Note($"The drain may go on. Watch it again with: fabric operation watch {drain.Id}");
            PrintUnfinished();
            return code;
        }

        if (context.IsJson) context.Json.WriteObject(DrainReport.Ended(result));
        else if (context.IsQuiet) context.Host.Out.WriteLine(result.Operation);
        else foreach (var line in DrainText.Summary(result)) context.Host.Out.WriteLine(line);
        if (result.Outcome == OperationOutcome.Succeeded) return ExitCode.Ok;

        var failure = new FabricException(result.ErrorCode ?? FabricErrorCode.Failed, DrainText.Failure(result), isTransient: false);
        ErrorReport.Write(context.Host, context.IsJson, failure);
        context.Note(DrainText.NextStep(result));
        return ExitCodes.Of(result);
    }

    /// <summary>Prints what was accepted and leaves.</summary>
    public ExitCode Detach()
    {
        if (context.IsJson || context.IsQuiet) PrintUnfinished();
        else context.Host.Out.WriteLine($"Started operation {drain.Id}. Watch it with: fabric operation watch {drain.Id}");
        return ExitCode.Ok;
    }

    private async Task<DrainResult> WatchAsync()
    {
        await foreach (var report in drain.WatchAsync(0, context.Token).ConfigureAwait(false))
        {
            Show(report);
            if (report.Result is { } result) return result;
        }

        throw new FabricException(FabricErrorCode.Internal, $"The reports of operation '{drain.Id}' ended without a result.");
    }

    /// <summary>A line for each VM something has happened to.</summary>
    private void Show(DrainProgress report)
    {
        foreach (var vm in report.Vms.Where(vm => !_shown.TryGetValue(vm.Vm, out var shown) || shown != vm))
        {
            _shown[vm.Vm] = vm;
            context.Note(DrainText.Line(vm, report.ElapsedMs));
        }
    }

    private void PrintUnfinished()
    {
        if (context.IsJson) context.Json.WriteObject(DrainReport.Unfinished(drain.Id, host, [.. _shown.Values.OrderBy(vm => vm.Vm, StringComparer.Ordinal)]));
        else if (context.IsQuiet) context.Host.Out.WriteLine(drain.Id);
    }
}
