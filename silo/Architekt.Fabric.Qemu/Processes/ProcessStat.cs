namespace Architekt.Fabric.Qemu;

/// <summary>What is needed of <c>/proc/PID/stat</c> (proc(5)).</summary>
internal readonly record struct ProcessStat(char State, long StartTime)
{
    /// <summary>Zombies (Z) and the dead (X) run nothing any more.</summary>
    public bool Alive => State is not ('Z' or 'X' or 'x');

    public static ProcessStat? Parse(string text)
    {
        // The second field is the program's name in parentheses, in which anything may stand; the last ')' ends it.
        var nameEnd = text.LastIndexOf(')');
        if (nameEnd < 0) return null;
        var fields = text[(nameEnd + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // Field 3 is the first one here.
        return fields.Length > 19 && fields[0].Length == 1 && long.TryParse(fields[19], out var startTime) ? new(fields[0][0], startTime) : null;
    }
}
