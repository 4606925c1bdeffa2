using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Nbd;

/// <summary>Limits and surroundings of an <see cref="NbdServer"/>.</summary>
public sealed class NbdServerOptions
{
    /// <summary>Where the server logs; nowhere by default.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Clock behind the time limits below.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Export served when a client asks for the empty name; null means only an export that is called so.</summary>
    public string? DefaultExportName { get; init; }

    /// <summary>Connections served at a time; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Requests of one connection that may be in work before the server stops reading from it.</summary>
    public int MaxRequestsInFlight { get; init; } = 64;

    /// <summary>Payload bytes of one connection that may be in work before the server stops reading from it; at least the maximum request of 32 MiB.</summary>
    public long MaxBytesInFlight { get; init; } = 64L << 20;

    /// <summary>Time a client has to finish the handshake.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time that requests in work get to end when an export is removed or a client said goodbye. After it the connection is cut, so that a client
    /// that neither sends nor reads cannot hold an export.
    /// </summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
