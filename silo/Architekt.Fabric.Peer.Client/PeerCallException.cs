namespace Architekt.Fabric.Peers;

/// <summary>A peer refused a call, failed in it, or did not answer.</summary>
public sealed class PeerCallException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">What the peer calls it, such as <c>Conflict</c>; null when it did not say or did not answer.</param>
    /// <param name="message">One sentence.</param>
    /// <param name="isUnavailable">There was no answer that could be read: the same call may succeed later.</param>
    /// <param name="cause">Why there was no answer.</param>
    public PeerCallException(string? code, string message, bool isUnavailable = false, Exception? cause = null)
        : base(message, cause) => (Code, IsUnavailable) = (code, isUnavailable);

    /// <summary>What the peer calls it, named like the fabric's error codes; null when it did not say or did not answer.</summary>
    public string? Code { get; }

    /// <summary>There was no answer that could be read.</summary>
    public bool IsUnavailable { get; }
}
