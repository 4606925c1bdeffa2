using System.Globalization;

namespace Architekt.Fabric.Blueprints.Startup;

/// <summary>Signals by their names (signal(7), x86-64).</summary>
internal static class StopSignals
{
    internal const int Default = 15;

    private const string Prefix = "SIG";

    // glibc keeps 32 and 33 for itself.
    private const int FirstRealTime = 34;
    private const int LastRealTime = 64;

    private static readonly string[] _names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Reads <c>SIGTERM</c>, <c>TERM</c>, <c>15</c> or <c>SIGRTMIN+3</c>.</summary>
    /// <exception cref="BlueprintException">It is no signal.</exception>
    internal static int Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return Default;
        var name = text.ToUpperInvariant();
        if (name.StartsWith(Prefix, StringComparison.Ordinal))
            name = name[Prefix.Length..];
        var number = Array.IndexOf(_names, name) + 1;
        if (number == 0 && !int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            number = RealTime(name);
        return number is >= 1 and <= LastRealTime
            ? number
            : throw new BlueprintException(BlueprintErrorCode.Invalid, $"The stop signal '{text}' is unknown; give a name such as SIGTERM, or a number.");
    }

    private static int RealTime(string name)
    {
        var (start, sign, from) = name.StartsWith("RTMAX", StringComparison.Ordinal) ? ("RTMAX", -1, LastRealTime) : ("RTMIN", 1, FirstRealTime);
        if (name == start)
            return from;
        return name.StartsWith(start, StringComparison.Ordinal) && name[start.Length] == (sign > 0 ? '+' : '-')
            && int.TryParse(name[(start.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var distance) && distance <= LastRealTime - FirstRealTime
            ? from + (sign * distance)
            : 0;
    }
}
