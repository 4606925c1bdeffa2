namespace Architekt.Fabric.Qemu;

/// <summary>qemu-img failed.</summary>
/// <param name="command">The command with its arguments.</param>
/// <param name="exitCode">Its exit code; null if it did not start.</param>
/// <param name="standardError">What it wrote to its error stream.</param>
/// <param name="inner">What was behind it, if it was not qemu-img itself.</param>
public sealed class QemuImgException(string command, int? exitCode, string standardError, Exception? inner = null)
    : Exception($"'{command}' {(exitCode is { } code ? $"ended with exit code {code}" : "did not start")}: {standardError}", inner)
{
    /// <summary>The command with its arguments.</summary>
    public string Command { get; } = command;

    /// <summary>Its exit code; null if it did not start.</summary>
    public int? ExitCode { get; } = exitCode;

    /// <summary>What it wrote to its error stream.</summary>
    public string StandardError { get; } = standardError;
}
