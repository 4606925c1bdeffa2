using System.Text;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>Names in layers.</summary>
internal static class LayerPath
{
    // What Linux allows a name, in bytes (limits.h, NAME_MAX).
    private const int MaxNameBytes = 255;

    /// <summary>The names a path is made of.</summary>
    /// <param name="text">As a tar has it: relative or absolute, maybe with dots and a slash at its end.</param>
    /// <exception cref="BlueprintException">It leads out of the tree, or the disk cannot hold it.</exception>
    internal static string[] Parse(string text)
    {
        var names = text.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(name => name != ".").ToArray();
        foreach (var name in names)
        {
            if (name == "..")
                throw Invalid(text, "it has '..', which would lead out of the image");
            // What is not UTF-8 has become this one when it was read.
            if (name.Contains('\uFFFD'))
                throw Unsupported(text, "it is not UTF-8");
            // debugfs(8) reads one command a line.
            if (name.AsSpan().ContainsAny('\n', '\r', '\0'))
                throw Unsupported(text, "it has a line break");
            if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
                throw Invalid(text, $"a name in it is longer than {MaxNameBytes} bytes");
        }

        return names;
    }

    private static BlueprintException Invalid(string text, string why) => new(BlueprintErrorCode.Invalid, $"The path '{text}' in the image is refused: {why}.");

    private static BlueprintException Unsupported(string text, string why) =>
        new(BlueprintErrorCode.Unsupported, $"The path '{text.ReplaceLineEndings("\\n")}' in the image cannot be put on a disk: {why}. Remove it from the image.");
}
