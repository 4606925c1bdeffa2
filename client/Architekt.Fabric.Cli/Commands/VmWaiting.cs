using System.CommandLine;
using Architekt.Fabric.Cli.Parsing;
using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>How long a command waits until a VM is in a state: its option, and the waiting.</summary>
/// <param name="what">What the option says of it, without the default.</param>
/// <param name="standard">How long without the option.</param>
internal sealed class VmWaiting(string what, TimeSpan standard)
{
    public Option<TimeSpan?> Timeout { get; } = Arguments.Time("--timeout", $"{what}; default: {standard.TotalMinutes:0}m.");

    public TimeSpan Limit(CommandContext context) => context.Parsed.GetValue(Timeout) ?? standard;

    public Task<VmInfo> WaitAsync(CommandContext context, FabricClient client, string vm, VmState state) =>
        client.WaitForVmAsync(vm, state, Limit(context), context.Token);
}
