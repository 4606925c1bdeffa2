namespace Architekt.Fabric.Processes;

/// <summary>How a tool ended.</summary>
/// <param name="ExitCode">Exit code; 128 + signal number when a signal ended it.</param>
/// <param name="StandardOutput">All it wrote to standard output, as UTF-8 text.</param>
/// <param name="StandardError">All it wrote to standard error, as UTF-8 text.</param>
public sealed record CommandResult(int ExitCode, string StandardOutput, string StandardError)
{
    /// <summary>True when the exit code is 0.</summary>
    public bool Succeeded => ExitCode == 0;
}
