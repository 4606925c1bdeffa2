namespace Architekt.Fabric.Simulation.Histories;

/// <summary>Whose part a host plays in the migration asked for last.</summary>
internal enum Place
{
    Source,
    Destination,
    Third,

    /// <summary>The host that owns the VM now, whatever migrates.</summary>
    Owner,
}

/// <summary>One thing that happens in a history.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">Upon which message; null: at <paramref name="Delay"/> after the beginning.</param>
/// <param name="Occurrence">The how manieth of these messages, from 1.</param>
/// <param name="IsAfter">Once it was carried out and not yet answered, instead of when it is sent.</param>
/// <param name="Delay">How long after that, in µs.</param>
/// <param name="Place">To which host.</param>
/// <param name="Duration">For how long, or how late, in µs.</param>
internal sealed record Happening(Kind Kind, Point? At, int Occurrence, bool IsAfter, long Delay, Place Place, long Duration)
{
    public override string ToString()
    {
        var when = At is null ? $"after {Delay / 1000.0} ms" : $"{(IsAfter ? "after" : "upon")} {At} no. {Occurrence}{(Delay == 0 ? "" : $" + {Delay / 1000.0} ms")}";
        return $"{Kind} ({Place}, {Duration / 1000.0} ms) {when}";
    }
}
