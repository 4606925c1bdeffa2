using System.CommandLine;
using Architekt.Fabric.Cli.Output;

namespace Architekt.Fabric.Cli.Parsing;

/// <summary>The option for what happens to RAM that a resumed guest has not touched.</summary>
internal static class FillModes
{
    private static readonly Dictionary<string, FillMode> _modes = Enum.GetValues<FillMode>().ToDictionary(Words.Of);

    public static Option<string> Option(string description)
    {
        var option = new Option<string>("--fill") { Description = description, HelpName = "MODE", DefaultValueFactory = _ => Words.Of(FillMode.Idle) };
        option.AcceptOnlyFromAmong([.. _modes.Keys]);
        return option;
    }

    public static FillMode Parse(string word) => _modes[word];
}
