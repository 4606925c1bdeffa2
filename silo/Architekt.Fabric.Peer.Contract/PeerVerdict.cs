namespace Architekt.Fabric.Peer;

/// <summary>What the gate says to a call.</summary>
/// <param name="IsRefused">It may not be done.</param>
/// <param name="IsRepeated">It was done before, or there is nothing to do: the answer is that of the first time.</param>
/// <param name="Code">Why it may not be, named like the fabric's error codes; null unless it is refused.</param>
/// <param name="Reason">The same as a sentence; null unless it is refused.</param>
public readonly record struct PeerVerdict(bool IsRefused, bool IsRepeated, string? Code, string? Reason)
{
    /// <summary>To be done.</summary>
    public static PeerVerdict Allowed { get; } = new(false, false, null, null);

    /// <summary>Done before, or nothing to do.</summary>
    public static PeerVerdict Repeated { get; } = new(false, true, null, null);

    /// <summary>The instance is in a state that does not allow it.</summary>
    public static PeerVerdict Conflict(string reason) => new(true, false, "Conflict", reason);

    /// <summary>The call is for another epoch.</summary>
    public static PeerVerdict StaleEpoch(long asked, long own) =>
        new(true, false, "StaleEpoch", $"Epoch {asked} was asked for, but this instance may run under epoch {own} only.");
}
