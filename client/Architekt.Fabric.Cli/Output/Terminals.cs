using System.Text;
using Architekt.Fabric.Cli.Hosting;
using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Spectre's consoles over the command's own writers.</summary>
internal static class Terminals
{
    public static IAnsiConsole ForOutput(CliHost host) => Create(host, host.Out);

    /// <summary>For progress, which is not data.</summary>
    public static IAnsiConsole ForError(CliHost host) => Create(host, host.Error);

    private static IAnsiConsole Create(CliHost host, TextWriter writer)
    {
        // https://no-color.org: any value that is not empty.
        var hasColor = string.IsNullOrEmpty(host.Environment("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = hasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new Destination(writer, host.Width()),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private sealed class Destination(TextWriter writer, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => width;

        public int Height => 24;

        public void SetEncoding(Encoding encoding)
        {
            // The writers are UTF-8 and stay so.
        }
    }
}
