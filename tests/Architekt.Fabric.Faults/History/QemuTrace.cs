using System.Globalization;
using System.Text.RegularExpressions;

namespace Architekt.Fabric.Faults.History;

/// <summary>
/// What one QEMU writes down of itself: its command line, and each change of its run state with the time (trace event <c>runstate_set</c>). It needs neither
/// silo nor peer for that, so it tells of a guest that runs although nobody meant it to.
/// </summary>
internal static partial class QemuTrace
{
    /// <summary>Which VM it is, from the path of its RAM: <c>…/HOST/run/VM.EPOCH/ram</c>. Null for a QEMU that is none, such as one that is asked for its version.</summary>
    public static (string Host, string Vm, long Epoch)? FindInstance(string commandLine) => RamPath().Match(commandLine) is { Success: true } match
        ? (match.Groups["host"].Value, match.Groups["vm"].Value, long.Parse(match.Groups["epoch"].Value, CultureInfo.InvariantCulture))
        : null;

    /// <summary>When it began and ended to run. An end that is null has not been written.</summary>
    public static IEnumerable<(DateTimeOffset From, DateTimeOffset? To)> ReadRuns(IEnumerable<string> lines)
    {
        DateTimeOffset? since = null;
        foreach (var change in lines.Select(static line => Change().Match(line)).Where(static match => match.Success))
        {
            var at = DateTimeOffset.UnixEpoch.AddTicks(
                (long.Parse(change.Groups["seconds"].Value, CultureInfo.InvariantCulture) * TimeSpan.TicksPerSecond)
                + (long.Parse(change.Groups["micros"].Value, CultureInfo.InvariantCulture) * TimeSpan.TicksPerMicrosecond));
            var runs = change.Groups["new"].Value == "running";
            if (runs) since ??= at;
            else if (since is { } from)
            {
                yield return (from, at);
                since = null;
            }
        }

        if (since is { } open) yield return (open, null);
    }

    [GeneratedRegex(@"/(?<host>[^/\s]+)/run/(?<vm>[a-z0-9-]+)\.(?<epoch>\d+)/ram\b")]
    private static partial Regex RamPath();

    // With -msg timestamp=on: "PID@SECONDS.MICROSECONDS:runstate_set current_run_state 6 (prelaunch) new_state 9 (running)".
    [GeneratedRegex(@"^\d+@(?<seconds>\d+)\.(?<micros>\d+):runstate_set .*new_state \d+ \((?<new>[a-z-]+)\)")]
    private static partial Regex Change();
}
