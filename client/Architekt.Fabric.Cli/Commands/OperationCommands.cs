using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

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
        var running = new Option<bool>("--running") { Description = "Only those that have not ended." };
        var limit = Arguments.Number("--limit", "At most this many; default: 50.", 1, 1000);
        return cli.Bind(
            new Command("list", "Lists operations, the newest first.") { vm, running, limit },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operations = await client.ListOperationsAsync(
                    context.Parsed.GetValue(vm), (int)(context.Parsed.GetValue(limit) ?? 50), context.Parsed.GetValue(running), context.Token).ConfigureAwait(false);
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
                return context.Print(Details, OperationDetail.From(info, await FindResultAsync(client, info, context.Token).ConfigureAwait(false)));
            });
    }

    private static async Task<object?> FindResultAsync(FabricClient client, OperationInfo operation, CancellationToken cancellationToken) => operation.Kind switch
    {
        OperationKinds.Checkpoint => await client.FindCheckpointResultAsync(operation.Id, cancellationToken).ConfigureAwait(false),
        OperationKinds.Drain => await client.FindDrainResultAsync(operation.Id, cancellationToken).ConfigureAwait(false) is { } drained ? DrainReport.Ended(drained) : null,
        _ => await client.FindMigrationResultAsync(operation.Id, cancellationToken).ConfigureAwait(false) is { } migrated ? MigrationReport.Ended(migrated) : null,
    };

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
                if (info.Kind == OperationKinds.Drain)
                    return await new DrainFollower(context, client.GetDrain(operation.Id), info.Source).FollowAsync().ConfigureAwait(false);
                return await new MigrationFollower(context, client, operation, info).FollowAsync().ConfigureAwait(false);
            });
    }

    private static Command Cancel(CommandRunner cli)
    {
        var id = Arguments.OperationId();
        return cli.Bind(
            new Command("cancel", "Cancels an operation; VMs go on where they are. Refused once a destination owns the VM.") { id },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var operation = client.GetOperation(context.Parsed.GetRequiredValue(id));
                var kind = (await client.FindOperationAsync(operation.Id, context.Token).ConfigureAwait(false))?.Kind;
                await (kind switch
                {
                    OperationKinds.Checkpoint => client.GetCheckpoint(operation.Id).CancelAsync(context.Token),
                    OperationKinds.Drain => client.GetDrain(operation.Id).CancelAsync(context.Token),
                    _ => operation.CancelAsync(context.Token),
                }).ConfigureAwait(false);
                var info = await operation.GetInfoAsync(context.Token).ConfigureAwait(false);
                context.Note($"Cancelling; see it end with: fabric operation watch {operation.Id}");
                return context.Print(Details, OperationDetail.From(info));
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
        .Add("Total", operation => operation.TotalMs is { } total ? Duration.Format(total) : null)
        .Add("Pause", operation => operation.PauseMs is { } pause ? Duration.Format(pause) : null)
        .Add("Rounds", operation => operation.Migration is { } result ? $"{result.Rounds}" : null)
        .Add("Sent", operation => operation.Migration is { } result ? ByteSize.Format(result.Bytes.OnWire) : null)
        .Add("Verified", operation => operation.Migration?.Verified is { } verified ? (verified ? "yes" : "no") : null)
        .Add("Package", operation => operation.Checkpoint?.PackageName)
        .Add("Moved", operation => operation.Drain is { } drain ? $"{drain.Moved}" : null)
        .Add("Stayed", operation => operation.Drain is { } drain ? $"{drain.NotMoved}" : null)
        .Add("Eviction", operation => operation.Drain?.EvictionMs is { } eviction ? Duration.Format(eviction) : null);

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
