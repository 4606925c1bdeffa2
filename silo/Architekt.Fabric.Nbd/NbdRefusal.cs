namespace Architekt.Fabric.Nbd;

/// <summary>Why a server refused an option of the handshake: the low 31 bits of NBD_REP_ERR_* (proto.md, "Option reply types").</summary>
public enum NbdRefusal
{
    /// <summary>Not refused in the handshake.</summary>
    None = 0,

    /// <summary>The server does not know the option.</summary>
    Unsupported = 1,

    /// <summary>Forbidden by the server's configuration.</summary>
    Policy = 2,

    /// <summary>The option was malformed.</summary>
    Invalid = 3,

    /// <summary>Not possible on the server's platform.</summary>
    Platform = 4,

    /// <summary>The server wants TLS first.</summary>
    TlsRequired = 5,

    /// <summary>There is no such export.</summary>
    UnknownExport = 6,

    /// <summary>The server is shutting down.</summary>
    ShuttingDown = 7,

    /// <summary>The server wants the client to ask for block sizes first.</summary>
    BlockSizeRequired = 8,

    /// <summary>The option was too large.</summary>
    TooBig = 9,
}
