namespace Architekt.Fabric.Nbd;

/// <summary>The connection could not be made, was refused in the handshake, was lost, or broke the protocol. Nothing more can be sent on it.</summary>
public sealed class NbdConnectionException : IOException
{
    /// <summary>Creates the exception.</summary>
    public NbdConnectionException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Creates the exception for an option that the server refused.</summary>
    public NbdConnectionException(string message, NbdRefusal refusal)
        : base(message) => Refusal = refusal;

    /// <summary>What the server answered in the handshake, if it refused there.</summary>
    public NbdRefusal Refusal { get; }
}
