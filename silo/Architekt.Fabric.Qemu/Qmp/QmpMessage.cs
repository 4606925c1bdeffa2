using System.Buffers;
using System.Text.Json;

namespace Architekt.Fabric.Qemu;

internal enum QmpMessageKind
{
    Other,
    Greeting,
    Event,
    Return,
    Error,
}

/// <summary>One line from QEMU, taken apart in one pass.</summary>
internal readonly record struct QmpMessage(
    QmpMessageKind Kind, long? Id, JsonElement Payload, string? EventName, DateTimeOffset Timestamp)
{
    /// <exception cref="JsonException">The line is not a JSON object.</exception>
    public static QmpMessage Parse(in ReadOnlySequence<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new JsonException("not a JSON object");

        var kind = QmpMessageKind.Other;
        long? id = null;
        JsonElement payload = default;
        string? eventName = null;
        var timestamp = DateTimeOffset.UnixEpoch;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("event"u8))
            {
                kind = QmpMessageKind.Event;
                reader.Read();
                eventName = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("event without a name");
            }
            else if (reader.ValueTextEquals("return"u8)) (kind, payload) = (QmpMessageKind.Return, ReadValue(ref reader));
            else if (reader.ValueTextEquals("error"u8)) (kind, payload) = (QmpMessageKind.Error, ReadValue(ref reader));
            else if (reader.ValueTextEquals("QMP"u8)) (kind, payload) = (QmpMessageKind.Greeting, ReadValue(ref reader));
            else if (reader.ValueTextEquals("data"u8)) payload = ReadValue(ref reader);
            else if (reader.ValueTextEquals("timestamp"u8)) timestamp = ReadTimestamp(ref reader);
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number)) id = number;
                else reader.Skip();
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
        // Reads past the closing brace, so that two objects glued into one line do not pass as one.
        if (reader.Read()) throw new JsonException("more than one JSON value in a line");
        return new(kind, id, payload, eventName, timestamp);
    }

    private static JsonElement ReadValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>Seconds and microseconds; QEMU sends -1 in both when its clock cannot be read (QMP specification).</summary>
    private static DateTimeOffset ReadTimestamp(ref Utf8JsonReader reader)
    {
        var value = ReadValue(ref reader);
        return value.ValueKind == JsonValueKind.Object
            && value.TryGetProperty("seconds"u8, out var secondsValue) && secondsValue.TryGetInt64(out var seconds)
            && value.TryGetProperty("microseconds"u8, out var microsValue) && microsValue.TryGetInt64(out var micros)
            && seconds is >= 0 and < 253402300800 && micros is >= 0 and < 1_000_000
            ? DateTimeOffset.UnixEpoch.AddTicks((seconds * TimeSpan.TicksPerSecond) + (micros * TimeSpan.TicksPerMicrosecond))
            : DateTimeOffset.UnixEpoch;
    }
}
