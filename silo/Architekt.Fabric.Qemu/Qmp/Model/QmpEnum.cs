using System.Text.Json;
using System.Text.Json.Serialization;

namespace Architekt.Fabric.Qemu;

/// <summary>QMP enums are kebab-case and grow with every version of QEMU: a value not known here reads as the enum's zero, <c>Unknown</c>.</summary>
internal static class QmpEnum<T> where T : struct, Enum
{
    private static readonly Dictionary<string, T> _byName =
        Enum.GetValues<T>().ToDictionary(value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));

    private static readonly Dictionary<T, string> _byValue = _byName.ToDictionary(pair => pair.Value, pair => pair.Key);

    public static T Parse(string name) => _byName.GetValueOrDefault(name);

    public static string Format(T value) => _byValue[value];
}

/// <summary>Reads and writes an enum by <see cref="QmpEnum{T}"/>.</summary>
internal sealed class QmpEnumConverter<T> : JsonConverter<T> where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        QmpEnum<T>.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(QmpEnum<T>.Format(value));
}
