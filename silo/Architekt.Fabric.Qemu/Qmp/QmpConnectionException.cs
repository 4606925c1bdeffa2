namespace Architekt.Fabric.Qemu;

/// <summary>The QMP connection is gone or speaks something else than QMP; commands that were under way have an unknown outcome.</summary>
public sealed class QmpConnectionException : IOException
{
    /// <summary>Creates the exception with a sentence that says what was lost and why.</summary>
    public QmpConnectionException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
