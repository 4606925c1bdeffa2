namespace Architekt.Fabric.Processes;

/// <summary>A tool ran and reported failure. <see cref="Exception.Message"/> is one sentence fit for an operator.</summary>
public sealed class CommandFailedException : Exception
{
    private const int LongestReason = 300;

    /// <summary>Creates the exception; the first line of <paramref name="standardError"/> becomes the reason in the message.</summary>
    public CommandFailedException(string commandLine, int exitCode, string standardError)
        : base(Sentence(commandLine, exitCode, standardError))
    {
        CommandLine = commandLine;
        ExitCode = exitCode;
        StandardError = standardError;
    }

    /// <summary>The command as one could type it into a shell.</summary>
    public string CommandLine { get; }

    /// <summary>Exit code; 128 + signal number when a signal ended it.</summary>
    public int ExitCode { get; }

    /// <summary>All of standard error.</summary>
    public string StandardError { get; }

    private static string Sentence(string commandLine, int exitCode, string standardError)
    {
        var reason = standardError.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0);
        if (reason is null)
            return $"`{commandLine}` failed with exit code {exitCode}.";

        if (reason.Length > LongestReason)
            reason = reason[..LongestReason] + "…";
        return $"`{commandLine}` failed with exit code {exitCode}: {reason.TrimEnd('.')}.";
    }
}
