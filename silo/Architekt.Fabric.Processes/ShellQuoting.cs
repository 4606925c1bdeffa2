using System.Buffers;

namespace Architekt.Fabric.Processes;

/// <summary>Shows a command in a form that can be pasted into a shell.</summary>
public static class ShellQuoting
{
    private static readonly SearchValues<char> _plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-");

    /// <summary>The command line, each word quoted where a POSIX shell needs it.</summary>
    public static string Join(string file, IEnumerable<string> args)
        => string.Join(' ', args.Prepend(file).Select(Quote));

    private static string Quote(string word)
        => word.Length > 0 && !word.AsSpan().ContainsAnyExcept(_plain) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
