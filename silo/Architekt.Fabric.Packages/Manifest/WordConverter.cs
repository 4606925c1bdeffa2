using System.Text.Json;
using System.Text.Json.Serialization;

namespace Architekt.Fabric.Packages;

/// <summary>Enumerations as lower-case words, nothing else, with an error that lists them. System.Text.Json's own converter also takes numbers.</summary>
internal sealed class WordConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> _words = Enum.GetValues<T>().ToDictionary(value => value.ToString().ToLowerInvariant());

    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var word = reader.TokenType == JsonTokenType.String ? reader.GetString()! : $"a {reader.TokenType}";
        return _words.TryGetValue(word, out var value)
            ? value
            : throw new JsonException($"'{Shown.Short(word)}' is unknown; this version knows {string.Join(" and ", _words.Keys)}.");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString().ToLowerInvariant());
}
