using Architekt.Fabric.Blueprints.Tests.Support;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Architekt.Fabric.Blueprints.Tests;

/// <summary>The runner's own entry point, and with <c>build</c> as first argument a builder in a process that may belong to another user.</summary>
internal static class Program
{
    internal static Task<int> Main(string[] args) => args switch
    {
        ["build", var source, var output, var parts] => BuildAsync(source, output, parts),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };

    private static async Task<int> BuildAsync(string source, string output, string parts)
    {
        var result = await BlueprintBuilder.BuildAsync(new BlueprintSource(source), FakeParts.Options(parts, output));
        await Console.Out.WriteLineAsync(result.Digest);
        return 0;
    }
}
