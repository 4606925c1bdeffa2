using Architekt.Fabric.Blueprints.Tests.Support;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Tests.Boot;

/// <summary>Real software, from the distribution. Nothing is installed.</summary>
internal static class DebianPackages
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static async Task DownloadAsync(string folder, string package)
    {
        Directory.CreateDirectory(folder);
        await Command.RunCheckedAsync(
            "apt-get", ["-q", "-q", "-o", "APT::Sandbox::User=root", "download", package], new CommandOptions { WorkingDirectory = folder }, Cancellation);
    }

    /// <summary>Downloads packages with all they depend on, as for a system that has none yet.</summary>
    /// <returns>The files, in the order of their names.</returns>
    internal static async Task<string[]> DownloadWithDependenciesAsync(string folder, params string[] packages)
    {
        Tool.Require("apt-get", "dpkg-deb");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "apt-get downloads dependencies only for root");
        Directory.CreateDirectory(Path.Combine(folder, "partial"));
        var status = Path.Combine(folder, "status");
        await File.WriteAllTextAsync(status, "", Cancellation);
        var result = await Command.RunAsync(
            "apt-get",
            [
                "-q", "-q", "-y", "--no-install-recommends", "--download-only", "-o", "APT::Sandbox::User=root", "-o", $"Dir::State::status={status}",
                "-o", $"Dir::Cache::archives={folder}", "-o", "Debug::NoLocking=1", "install", .. packages,
            ],
            null, Cancellation);
        Assert.SkipUnless(result.Succeeded, $"apt-get cannot download {string.Join(' ', packages)}: {result.StandardError.Trim()}");
        return [.. Directory.GetFiles(folder, "*.deb").Order(StringComparer.Ordinal)];
    }

    /// <summary>What is in a package, as the tar it is.</summary>
    internal static async Task<byte[]> ReadTarAsync(string package)
    {
        var start = new System.Diagnostics.ProcessStartInfo("dpkg-deb", ["--fsys-tarfile", package]) { RedirectStandardOutput = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        using var content = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(content, Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
        return content.ToArray();
    }
}
