namespace Architekt.Fabric.Nbd;

/// <summary>The server refused one request; the connection is still good.</summary>
public sealed class NbdClientException : IOException
{
    /// <summary>Creates the exception for one refused request.</summary>
    public NbdClientException(NbdError error, string message)
        : base(message) => Error = error;

    /// <summary>Why the request failed.</summary>
    public NbdError Error { get; }
}
