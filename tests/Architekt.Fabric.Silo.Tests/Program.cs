using Architekt.Fabric.Silo.Tests.Support;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Architekt.Fabric.Silo.Tests;

/// <summary>The runner's own entry point, and with a peer's arguments a peer without a VM.</summary>
internal static class Program
{
    internal static Task<int> Main(string[] args) => args switch
    {
        ["--folder", var folder] => FakePeer.RunAsync(folder),
        _ when args.Any(static arg => arg is "--server" or "--internal-msbuild-node") =>
            TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
