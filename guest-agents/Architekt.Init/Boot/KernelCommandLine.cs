namespace Architekt.Init.Boot;

/// <summary>What the host tells this one guest: <c>architekt.NAME=VALUE</c> on the kernel's command line.</summary>
/// <param name="text">The content of /proc/cmdline.</param>
internal sealed class KernelCommandLine(string text)
{
    internal const string Prefix = "architekt.";

    private readonly string[] _words = text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    internal static KernelCommandLine Read() => new(File.ReadAllText("/proc/cmdline"));

    /// <summary>The value of a parameter; null when it is not given or empty. The last one counts, as with the kernel's own.</summary>
    /// <param name="name">Without the prefix.</param>
    internal string? Value(string name)
    {
        var start = $"{Prefix}{name}=";
        var word = _words.LastOrDefault(word => word.StartsWith(start, StringComparison.Ordinal));
        return word is { } found && found.Length > start.Length ? found[start.Length..] : null;
    }
}
