namespace Architekt.Fabric.Memory;

/// <summary>Guest RAM could not be filled.</summary>
public sealed class MemoryFillException : IOException
{
    /// <summary>Makes one.</summary>
    /// <param name="error">Why, for programs.</param>
    /// <param name="message">What, where, why and what to do, for people.</param>
    /// <param name="cause">What it came from.</param>
    public MemoryFillException(MemoryFillError error, string message, Exception? cause = null)
        : base(message, cause) => Error = error;

    /// <summary>Why.</summary>
    public MemoryFillError Error { get; }
}
