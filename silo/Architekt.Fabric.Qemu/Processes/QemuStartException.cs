namespace Architekt.Fabric.Qemu;

/// <summary>QEMU did not start, or ended before it could be talked to.</summary>
public sealed class QemuStartException : Exception
{
    /// <summary>Creates the exception with one sentence that says why.</summary>
    public QemuStartException(string message, int? exitCode = null, string standardError = "", Exception? inner = null)
        : base(message, inner) => (ExitCode, StandardError) = (exitCode, standardError);

    /// <summary>QEMU's exit code (128 plus the signal if one ended it); null if it was never started.</summary>
    public int? ExitCode { get; }

    /// <summary>The last lines QEMU wrote to its error stream.</summary>
    public string StandardError { get; }
}
