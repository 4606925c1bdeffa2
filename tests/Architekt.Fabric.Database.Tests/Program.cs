using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Architekt.Fabric.Database.Tests;

/// <summary>The runner's own entry point, and with <c>silo</c> as first argument a silo in a process that can be killed.</summary>
internal static class Program
{
    internal static Task<int> Main(string[] args) => args switch
    {
        ["silo", var name, var cluster, var connectionString] => SiloProcess.RunAsync(name, cluster, connectionString),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
