using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// QMP's commands, typed, as far as the fabric needs them. All of them throw <see cref="QmpException"/> when QEMU refuses and
/// <see cref="QmpConnectionException"/> when the connection ends before the answer.
/// </summary>
public static partial class QmpCommands
{
    private static async Task<TResult> QueryAsync<TResult>(Task<JsonElement> reply, string command, JsonTypeInfo<TResult> typeInfo)
    {
        var element = await reply.ConfigureAwait(false);
        try
        {
            return element.Deserialize(typeInfo) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new QmpConnectionException($"QEMU's answer to '{command}' has an unexpected shape: {exception.Message}", exception);
        }
    }
}
