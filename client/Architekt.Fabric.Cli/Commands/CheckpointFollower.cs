using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Waits for a checkpoint's end, or until it is told to let go; prints the result.</summary>
internal static class CheckpointFollower
{
    public static async Task<ExitCode> FollowAsync(CommandContext context, CheckpointOperation checkpoint)
    {
        CheckpointResult result;
        try
        {
            result = await checkpoint.WaitForCompletionAsync(context.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.Token.IsCancellationRequested)
        {
            context.Note($"Detached; the checkpoint goes on. Watch it again with: fabric operation watch {checkpoint.Id}");
            if (context.IsQuiet) await context.Host.Out.WriteLineAsync(checkpoint.Id).ConfigureAwait(false);
            return ExitCode.Cancelled;
        }

        return Print(context, result);
    }

    /// <summary>Prints what was made, or says why nothing was.</summary>
    public static ExitCode Print(CommandContext context, CheckpointResult result)
    {
        if (result.Outcome == OperationOutcome.Succeeded) return context.Print(Details, result);
        var isCancelled = result.Outcome == OperationOutcome.Cancelled;
        var code = result.ErrorCode ?? (isCancelled ? FabricErrorCode.Cancelled : FabricErrorCode.Failed);
        var what = $"Package '{result.PackageName}' was not made of VM '{result.Vm}' on {result.Host}";
        return context.Report(new FabricException(code, isCancelled ? $"{what}: it was cancelled." : $"{what}: {result.Reason}", code is FabricErrorCode.Unavailable or FabricErrorCode.Timeout));
    }

    private static Details<CheckpointResult> Details { get; } = new Details<CheckpointResult>(result => result.PackageName)
        .Add("Package", result => result.PackageName)
        .Add("Host", result => result.Host)
        .Add("Size", result => result.Package is { } package ? ByteSize.Format(package.SizeBytes) : null)
        .Add("Digest", result => result.Package?.Digest)
        .Add("Pause", result => result.PauseMs is { } pause ? Duration.Format(pause) : null)
        .Add("Total", result => Duration.Format(result.TotalMs));
}
