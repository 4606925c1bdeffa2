using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Architekt.Fabric.Cli.Commands;
using Architekt.Fabric.Cli.Hosting;
using Architekt.Fabric.Cli.Output;

namespace Architekt.Fabric.Cli;

/// <summary>The <c>fabric</c> command.</summary>
internal static class FabricCommandLine
{
    public static async Task<ExitCode> RunAsync(IReadOnlyList<string> args, CliHost host)
    {
        var cli = new CommandRunner(host);
        var root = Create(cli);
        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction parseError) return await ReportAsync(parsed, parseError, cli).ConfigureAwait(false);
        return (ExitCode)await parsed.InvokeAsync(Configuration(host, host.Out)).ConfigureAwait(false);
    }

    public static RootCommand Create(CommandRunner cli)
    {
        var root = new RootCommand("Runs virtual machines on a fabric of hosts and moves them between hosts while they run.")
        {
            HostCommands.Create(cli),
            BlueprintCommands.Create(cli),
            PackageCommands.Create(cli),
            VmCommands.Create(cli),
            EventCommands.Create(cli),
            OperationCommands.Create(cli),
            RunCommand.Create(cli),
            CompletionCommand.Create(cli),
        };
        cli.Options.AddTo(root);
        // Without the aliases of another system's shells, which only clutter the completion.
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", "-h"));
        return root;
    }

    // Output is a parameter because what System.CommandLine prints about a wrong command line, help included, is not data.
    private static InvocationConfiguration Configuration(CliHost host, TextWriter output) => new()
    {
        Output = output,
        Error = host.Error,
        EnableDefaultExceptionHandler = false,
        // Ctrl-C means something else to almost every command here than the end of the process.
        ProcessTerminationTimeout = null,
    };

    private static async Task<ExitCode> ReportAsync(ParseResult parsed, ParseErrorAction action, CommandRunner cli)
    {
        if (cli.Options.IsJson(parsed))
        {
            ErrorReport.Write(
                cli.Host, isJson: true, FabricException.Invalid(string.Join(' ', parsed.Errors.Select(error => error.Message))));
            return ExitCode.Usage;
        }

        // Help is for those who left the command out, not for those who mistyped it.
        action.ShowHelp = parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0;
        await parsed.InvokeAsync(Configuration(cli.Host, cli.Host.Error)).ConfigureAwait(false);
        return ExitCode.Usage;
    }
}
