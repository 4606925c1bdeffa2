using System.Globalization;
using System.Reflection;
using DbUp.Engine;

namespace Architekt.Fabric.Database;

/// <summary>The ordered scripts this program brings. A script that was released is never changed: what it did is changed by a later one.</summary>
internal static class SchemaScripts
{
    internal static IReadOnlyList<SqlScript> All { get; } = Load();

    internal static int Version { get; } = All.Max(script => VersionOf(script.Name) ?? 0);

    /// <summary>The number a script's name starts with; null if it is none of ours.</summary>
    internal static int? VersionOf(string name) =>
        name.IndexOf('-', StringComparison.Ordinal) is > 0 and var end
        && int.TryParse(name.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    private static List<SqlScript> Load()
    {
        var assembly = typeof(SchemaScripts).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => VersionOf(name) is not null)
            .Order(StringComparer.Ordinal)
            .Select(name => new SqlScript(name, Read(assembly, name)))];
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
