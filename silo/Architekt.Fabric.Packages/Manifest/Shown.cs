namespace Architekt.Fabric.Packages;

/// <summary>Foreign text made fit for an error message.</summary>
internal static class Shown
{
    private const int Longest = 80;

    internal static string Short(string text)
    {
        var clean = string.Concat(text.Take(Longest).Select(character => char.IsControl(character) ? '?' : character));
        return text.Length > Longest ? clean + "..." : clean;
    }
}
