using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Writes JSON: indented for people, one line each for programs.</summary>
internal sealed class JsonOutput(TextWriter writer, bool isIndented)
{
    public void WriteObject<T>(T value)
        where T : notnull => Write(value, isIndented);

    public void WriteArray<T>(IReadOnlyList<T> values) => Write(values, isIndented);

    /// <summary>One object on one line, for output without an end.</summary>
    public void WriteLine<T>(T value)
        where T : notnull => Write(value, indent: false);

    private void Write<T>(T value, bool indent)
    {
        var context = indent ? CliJson.Indented : CliJson.Compact;
        var type = (JsonTypeInfo<T>)(context.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T)} has no JSON form."));
        writer.WriteLine(JsonSerializer.Serialize(value, type));
    }
}
