using Architekt.Fabric.Cli.Hosting;

namespace Architekt.Fabric.Cli.Output;

/// <summary>How errors reach people and programs: one sentence, or one JSON object, on standard error.</summary>
internal static class ErrorReport
{
    public static void Write(CliHost host, bool isJson, FabricException error)
    {
        if (isJson)
        {
            new JsonOutput(host.Error, isIndented: false).WriteObject(
                new ErrorObject(new ErrorBody(Words.Of(error.Code), OneLine(error.Message), error.IsTransient)));
        }
        else
        {
            host.Error.WriteLine($"fabric: {OneLine(error.Message)}");
        }

        if (host.Environment("FABRIC_DEBUG") is "1") host.Error.WriteLine(error);
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ").Trim();
}
