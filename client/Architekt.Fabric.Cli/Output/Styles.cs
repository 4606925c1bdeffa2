using Spectre.Console;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Colours of states: green is well, red wants someone, yellow passes.</summary>
internal static class Styles
{
    private static readonly Style _good = new(Color.Green);
    private static readonly Style _bad = new(Color.Red);
    private static readonly Style _passing = new(Color.Yellow);

    public static Style Of(VmState state) => state switch
    {
        VmState.Running => _good,
        VmState.Failed or VmState.Unknown or VmState.Lost => _bad,
        VmState.Stopped => Style.Plain,
        _ => _passing,
    };

    public static Style Of(HostInfo host) => host switch
    {
        { State: not HostState.Ready } => _bad,
        { IsCordoned: true } => _passing,
        _ => _good,
    };

    public static Style Of(OperationOutcome outcome) => outcome switch
    {
        OperationOutcome.Succeeded => _good,
        OperationOutcome.Failed => _bad,
        _ => _passing,
    };
}
