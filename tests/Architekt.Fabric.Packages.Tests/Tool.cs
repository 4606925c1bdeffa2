using System.ComponentModel;
using System.Diagnostics;

namespace Architekt.Fabric.Packages.Tests;

/// <summary>Runs programs of the system.</summary>
internal static class Tool
{
    internal static void SkipWithout(params string[] programs)
    {
        foreach (var program in programs)
        {
            try
            {
                Run(program, "--version");
            }
            catch (Win32Exception)
            {
                Assert.Skip($"the program '{program}' is not installed");
            }
        }
    }

    /// <returns>What it printed.</returns>
    internal static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}: {error.Result}");
        return output;
    }
}
