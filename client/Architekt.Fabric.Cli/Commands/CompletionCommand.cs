using System.CommandLine;

namespace Architekt.Fabric.Cli.Commands;

internal static class CompletionCommand
{
    // System.CommandLine answers "[suggest:POSITION] LINE" with one candidate a line.
    private const string Bash = """
        _fabric() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(fabric "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _fabric fabric
        """;

    private const string Zsh = """
        #compdef fabric
        _fabric() {
          local -a candidates
          candidates=("${(@f)$(fabric "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -- $candidates
        }
        compdef _fabric fabric
        """;

    private const string Fish = """
        complete -f -c fabric -a '(fabric "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
        """;

    public static Command Create(CommandRunner cli)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return cli.Bind(
            new Command("completion", "Prints a script that completes commands in a shell, for example: source <(fabric completion bash)") { shell },
            context =>
            {
                context.Host.Out.WriteLine(context.Parsed.GetRequiredValue(shell) switch
                {
                    "bash" => Bash,
                    "zsh" => Zsh,
                    _ => Fish,
                });
                return Task.FromResult(ExitCode.Ok);
            });
    }
}
