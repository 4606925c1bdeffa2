namespace Architekt.Fabric.Simulation.Histories;

/// <summary>Leaves out of a history whatever it does not need to fail.</summary>
internal static class Shrinker
{
    public static History Shrink(History history, Func<History, bool> fails)
    {
        for (var i = history.Happenings.Length - 1; i >= 0; i--)
        {
            var smaller = history with { Happenings = [.. history.Happenings.Where((_, index) => index != i)] };
            if (fails(smaller)) history = smaller;
        }

        return history;
    }
}
