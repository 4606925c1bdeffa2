namespace Architekt.Fabric.Silo.Ownership;

/// <summary>What to do about a VM that has failed.</summary>
/// <param name="IsDue">Start it now.</param>
/// <param name="HasGivenUp">It is left alone.</param>
/// <param name="Restarts">Which restart in a row it will be.</param>
internal sealed record RestartDecision(bool IsDue, bool HasGivenUp, int Restarts)
{
    public static RestartDecision Wait { get; } = new(IsDue: false, HasGivenUp: false, 0);

    public static RestartDecision GiveUp { get; } = new(IsDue: false, HasGivenUp: true, 0);
}
