namespace Architekt.Fabric.Cli.Output;

/// <summary>Text from elsewhere, made fit for a line of a terminal.</summary>
internal static class Printable
{
    /// <summary>Replaces control characters: a reason or a message must not move the cursor or change colours.</summary>
    public static string Of(string text) =>
        text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f')
            ? string.Create(text.Length, text, (span, source) =>
            {
                for (var index = 0; index < span.Length; index++) span[index] = char.IsControl(source[index]) ? ' ' : source[index];
            })
            : text;
}
