using System.Text.Json;

namespace Architekt.Fabric.Cli.Output;

/// <summary>Enum members as the command line writes and reads them: as in the JSON output, camelCase.</summary>
internal static class Words
{
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
