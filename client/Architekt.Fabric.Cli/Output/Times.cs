using System.Globalization;

namespace Architekt.Fabric.Cli.Output;

internal static class Times
{
    /// <summary>A moment in UTC, to the second: sorts as text.</summary>
    public static string Format(DateTimeOffset moment) => moment.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
