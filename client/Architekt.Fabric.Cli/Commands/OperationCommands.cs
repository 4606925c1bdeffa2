using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class OperationCommands
{
    public static Command Create(CommandRunner cli) => new("operation", "What was asked for and takes time, such as migrations.")
    {
        List(cli),
        Show(cli),
        Watch(cli),
        Cancel(cli),
    };

    private static Command List(CommandRunner cli)
    {
        var vm = Arguments.NameOption("--vm", "VM", "Only the operations of this VM.");
        var limit = Arguments.Number("--limit", "At most this many; default: 50.", 1, 1000);
        return cli.Bind(
            new Command("list", "Lists operations, the newest first.") { vm, limit },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operations = await client.ListOperationsAsync(
                    context.Parsed.GetValue(vm), (int)(context.Parsed.GetValue(limit) ?? 50), context.Token).ConfigureAwait(false);
                return context.Print(Listing(context.Now), operations);
            });
    }

    private static Command Show(CommandRunner cli)
    {
        var id = Arguments.OperationId();
        return cli.Bind(
            new Command("show", "Shows an operation, and its result once it has one.") { id },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operation = context.Parsed.GetRequiredValue(id);
                var info = await client.FindOperationAsync(operation, context.Token).ConfigureAwait(false) ?? throw NotFound(operation);
                var result = await client.FindMigrationResultAsync(operation, context.Token).ConfigureAwait(false);
                return context.Print(Details, OperationDetail.From(info, result));
            });
    }

    private static Command Watch(CommandRunner cli)
    {
        var id = Arguments.OperationId();
        return cli.Bind(
            new Command("watch", "Watches an operation to its end. Ctrl-C stops the watching, not the operation.") { id },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operation = client.GetOperation(context.Parsed.GetRequiredValue(id));
                var info = await operation.GetInfoAsync(context.Token).ConfigureAwait(false);
                if (info.Kind == OperationKinds.Checkpoint)
                    return await CheckpointFollower.FollowAsync(context, client.GetCheckpoint(operation.Id)).ConfigureAwait(false);
                return await new MigrationFollower(context, client, operation, info).FollowAsync().ConfigureAwait(false);
            });
    }

    private static Command Cancel(CommandRunner cli)
    {
        var id = Arguments.OperationId();
        return cli.Bind(
            new Command("cancel", "Cancels an operation; the VM goes on where it is. Refused once a destination owns the VM.") { id },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operation = client.GetOperation(context.Parsed.GetRequiredValue(id));
                var kind = (await client.FindOperationAsync(operation.Id, context.Token).ConfigureAwait(false))?.Kind;
                await (kind == OperationKinds.Checkpoint
                    ? client.GetCheckpoint(operation.Id).CancelAsync(context.Token)
                    : operation.CancelAsync(context.Token)).ConfigureAwait(false);
                var info = await operation.GetInfoAsync(context.Token).ConfigureAwait(false);
                context.Note($"Cancelling; see it end with: fabric operation watch {operation.Id}");
                return context.Print(Details, OperationDetail.From(info, null));
            });
    }

    private static FabricException NotFound(string id) => FabricException.NotFound($"There is no operation '{id}'.");

    private static Details<OperationDetail> Details { get; } = new Details<OperationDetail>(operation => operation.Id)
        .Add("Id", operation => operation.Id)
        .Add("Kind", operation => operation.Kind)
        .Add("VM", operation => operation.Vm)
        .Add("From", operation => operation.Source)
        .Add("To", operation => operation.Destination)
        .Add("Epoch", operation => $"{operation.Epoch}")
        .Add("Phase", operation => Words.Of(operation.Phase))
        .Add("Outcome", operation => Words.Of(operation.Outcome))
        .Add("Reason", operation => operation.Reason)
        .Add("Started", operation => Times.Format(operation.StartedAt))
        .Add("Ended", operation => operation.EndedAt is { } ended ? Times.Format(ended) : null)
        .Add("Total", operation => operation.Result?.TotalMs is { } total ? Duration.Format(total) : null)
        .Add("Pause", operation => operation.Result?.PauseMs is { } pause ? Duration.Format(pause) : null)
        .Add("Rounds", operation => operation.Result is { } result ? $"{result.Rounds}" : null)
        .Add("Sent", operation => operation.Result is { } result ? ByteSize.Format(result.Bytes.OnWire) : null)
        .Add("Verified", operation => operation.Result?.Verified is { } verified ? (verified ? "yes" : "no") : null);

    private static Listing<OperationInfo> Listing(DateTimeOffset now) => new Listing<OperationInfo>(operation => operation.Id)
        .Add("ID", operation => operation.Id)
        .Add("KIND", operation => operation.Kind)
        .Add("VM", operation => operation.Vm)
        .Add("FROM", operation => operation.Source)
        .Add("TO", operation => operation.Destination)
        .AddNumber("EPOCH", operation => $"{operation.Epoch}")
        .Add("PHASE", operation => Words.Of(operation.Phase))
        .Add("OUTCOME", operation => Words.Of(operation.Outcome), operation => Styles.Of(operation.Outcome))
        .Add("AGE", operation => Duration.FormatAge(now - operation.StartedAt));
}
