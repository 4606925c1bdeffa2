using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Tests.Support;

/// <summary>Other people's programs.</summary>
internal static class Tool
{
    internal static void Require(params string[] names)
    {
        foreach (var name in names)
            Assert.SkipUnless(ExecutablePath.Find(name) is not null, $"{name} is not installed");
    }

    internal static async Task<string> RunAsync(string file, params string[] arguments)
    {
        Require(file);
        var result = await Command.RunCheckedAsync(file, arguments, null, TestContext.Current.CancellationToken);
        return result.StandardOutput;
    }
}
