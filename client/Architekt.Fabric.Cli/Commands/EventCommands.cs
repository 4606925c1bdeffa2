using System.CommandLine;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

internal static class EventCommands
{
    private const int DefaultCount = 100;
    private const int FollowBacklog = 10;
    private const int MaxCount = 1000;

    public static Command Create(CommandRunner cli)
    {
        var vm = Arguments.NameOption("--vm", "VM", "Only the events of this VM.");
        var options = new EventOptions();
        var command = new Command("events", "Shows what happened in the fabric.") { vm };
        return options.AddTo(cli.Bind(command, context => RunAsync(context, options, context.Parsed.GetValue(vm))));
    }

    /// <summary><c>fabric vm events NAME</c>.</summary>
    public static Command CreateForVm(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var options = new EventOptions();
        var command = new Command("events", "Shows what happened to a VM.") { name };
        return options.AddTo(cli.Bind(command, context => RunAsync(context, options, context.Parsed.GetRequiredValue(name))));
    }

    private sealed class EventOptions
    {
        public Option<bool> Follow { get; } = new("--follow", "-f") { Description = "Go on and show events as they happen." };

        public Option<long?> After { get; } = Arguments.Number(
            "--after", $"Begin behind the event of this number; default: the newest {DefaultCount}, or {FollowBacklog} with --follow.", 0, long.MaxValue);

        public Command AddTo(Command command)
        {
            command.Options.Add(Follow);
            command.Options.Add(After);
            return command;
        }
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, EventOptions options, string? vm)
    {
        var client = await context.ConnectAsync().ConfigureAwait(false);
        var after = context.Parsed.GetValue(options.After) ?? -1;
        if (context.Parsed.GetValue(options.Follow))
        {
            try
            {
                await foreach (var happened in client.WatchEventsAsync(after, FollowBacklog, context.Token).ConfigureAwait(false))
                {
                    if (Matches(happened)) Write(context, happened);
                }
            }
            catch (OperationCanceledException) when (context.Token.IsCancellationRequested)
            {
                // Ctrl-C is how following ends.
            }

            return ExitCode.Ok;
        }

        var found = new List<FabricEvent>();
        while (true)
        {
            // The record cannot be asked for one VM's events, so more is read than shown.
            var limit = after < 0 && vm is null ? DefaultCount : MaxCount;
            var page = await client.ReadEventsAsync(after, limit, context.Token).ConfigureAwait(false);
            found.AddRange(page.Where(Matches));
            if (after < 0 || page.Count < limit) break;
            after = page[^1].Sequence;
        }

        if (found.Count == 0 && vm is not null) await client.GetVmAsync(vm, context.Token).ConfigureAwait(false);
        if (context.IsJson && !context.IsQuiet) context.Json.WriteArray<FabricEvent>(found);
        else foreach (var happened in found) Write(context, happened);
        return ExitCode.Ok;

        bool Matches(FabricEvent happened) => vm is null || happened.Vm == vm;
    }

    private static void Write(CommandContext context, FabricEvent happened)
    {
        if (context.IsQuiet)
        {
            context.Host.Out.WriteLine(happened.Sequence);
        }
        else if (context.IsJson)
        {
            context.Json.WriteLine(happened);
        }
        else
        {
            context.Host.Out.WriteLine(Printable.Of(
                $"{happened.Sequence,6}  {Times.Format(happened.At)}  {happened.Kind,-18}  {happened.Vm ?? "-",-12}  {happened.Host ?? "-",-10}  {happened.Message}"));
        }
    }
}
