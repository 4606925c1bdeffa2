namespace Architekt.Fabric.Nbd;

/// <summary>How a client connects.</summary>
public sealed class NbdClientOptions
{
    /// <summary>Asks for structured replies.</summary>
    public bool StructuredReplies { get; init; } = true;

    /// <summary>Asks for <c>base:allocation</c>, which <see cref="INbdClient.GetExtentsAsync"/> needs; implies structured replies.</summary>
    public bool AllocationContext { get; init; } = true;

    /// <summary>Time for connecting and the handshake together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The connection counts as lost when requests are waiting and nothing at all was sent or received for this long. <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Requests on the wire at a time; further callers wait for their turn. 1 to 4096.</summary>
    public int MaxRequestsInFlight { get; init; } = 128;

    /// <summary>Clock behind the time limits.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
