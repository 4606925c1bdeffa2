namespace Architekt.Fabric.Grains;

/// <summary>Everything that is fixed about a drain when it is asked for; stored with its operation.</summary>
/// <param name="Operation">Its id.</param>
/// <param name="Host">The host to empty.</param>
/// <param name="Options">How.</param>
/// <param name="RequestedAt">When it was asked for.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.drain-plan")]
public sealed record DrainPlan(string Operation, string Host, DrainOptions Options, DateTimeOffset RequestedAt)
{
    /// <summary>When nothing more may be begun; null for never.</summary>
    public DateTimeOffset? DeadlineAt => Options.DeadlineMs is { } ms ? RequestedAt.AddMilliseconds(ms) : null;
}
