using System.CommandLine;
using System.Globalization;
using Architekt.Fabric.Cli.Output;
using Architekt.Fabric.Cli.Parsing;

namespace Architekt.Fabric.Cli.Commands;

/// <summary><c>fabric vm owner</c> and <c>fabric vm history</c>.</summary>
internal static class VmOwnerCommand
{
    public static Command Create(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        return cli.Bind(
            new Command("owner", "Shows who owns a VM, with which epoch, since when, and its lease.") { name },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                return context.Print(Details, await client.GetVmOwnerAsync(context.Parsed.GetRequiredValue(name), context.Token).ConfigureAwait(false));
            });
    }

    public static Command CreateHistory(CommandRunner cli)
    {
        var name = Arguments.Name("VM");
        var limit = Arguments.Number("--limit", "At most this many, the newest; default: 100.", 1, 1000);
        return cli.Bind(
            new Command("history", "Shows every change in the ownership of a VM, also of one that is gone.") { name, limit },
            async context =>
            {
                var client = await context.ConnectAsync().ConfigureAwait(false);
                var entries = await client.ReadVmHistoryAsync(
                    context.Parsed.GetRequiredValue(name), (int)(context.Parsed.GetValue(limit) ?? 100), context.Token).ConfigureAwait(false);
                return context.Print(History, entries);
            });
    }

    private static Details<VmOwner> Details { get; } = new Details<VmOwner>(owner => owner.Host ?? "")
        .Add("VM", owner => owner.Vm)
        .Add("Host", owner => owner.Host ?? "nobody")
        .Add("Epoch", owner => $"{owner.Epoch}")
        .Add("State", owner => Words.Of(owner.State))
        .Add("Since", owner => Times.Format(owner.Since))
        .Add("Operation", owner => owner.Operation)
        .Add("Availability", owner => Words.Of(owner.Availability))
        .Add("Lease", Lease)
        .Add("Restart", owner => Policies.Of(owner.Restart))
        .Add("Restarts", owner => owner.Restarts == 0 ? null : $"{owner.Restarts} in a row");

    private static Listing<OwnershipEntry> History { get; } = new Listing<OwnershipEntry>(entry => $"{entry.Sequence}")
        .Add("AT", entry => Times.Format(entry.At))
        .AddNumber("EPOCH", entry => $"{entry.Epoch}")
        .Add("CHANGE", entry => Words.Of(entry.Change))
        .Add("HOST", entry => entry.Host)
        .Add("OPERATION", entry => entry.Operation)
        .Add("REASON", entry => entry.Reason);

    private static string? Lease(VmOwner owner) => owner.LeaseUntil is { } until && owner.LeaseRemainingMs is { } remaining
        ? string.Create(CultureInfo.InvariantCulture, $"until {Times.Format(until)} ({(remaining < 0 ? "ended" : "in")} {Math.Abs(remaining) / 1000:0.0} s{(remaining < 0 ? " ago" : "")})")
        : null;
}
