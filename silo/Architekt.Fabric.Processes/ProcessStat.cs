using System.Globalization;

namespace Architekt.Fabric.Processes;

/// <summary>The parts of /proc/PID/stat (proc(5)) that identify a process.</summary>
internal readonly record struct ProcessStat(char State, long StartTicks)
{
    private const int FieldsBeforeState = 2;
    private const int StartTimeField = 22;

    internal bool HasEnded => State is 'Z' or 'X' or 'x';

    /// <summary>Null when there is no such process.</summary>
    internal static ProcessStat? Read(int pid)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{pid}/stat"));
        }
        catch (IOException)
        {
            // No entry, or ESRCH because it ended between open and read.
            return null;
        }
    }

    internal static ProcessStat Parse(string text)
    {
        // Field 2 is the name in parentheses and may hold spaces and parentheses itself; the last one closes it.
        var close = text.LastIndexOf(')');
        var fields = close < 0 ? [] : text[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (fields.Length < StartTimeField - FieldsBeforeState)
            throw new FormatException($"'{text}' is not the content of a /proc/PID/stat file.");

        return new ProcessStat(fields[0][0], long.Parse(fields[StartTimeField - FieldsBeforeState - 1], NumberStyles.None, CultureInfo.InvariantCulture));
    }
}
