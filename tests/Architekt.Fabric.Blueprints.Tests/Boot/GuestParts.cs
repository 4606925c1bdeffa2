using Architekt.Fabric.Blueprints.Tests.Boot;
using Architekt.Fabric.Blueprints.Tests.Support;
using Architekt.Fabric.Processes;

[assembly: AssemblyFixture(typeof(GuestParts))]

namespace Architekt.Fabric.Blueprints.Tests.Boot;

/// <summary>What a guest is made of besides its image, gotten once for all tests.</summary>
public sealed class GuestParts : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Lazy<Task<string>> _kernel;

    public GuestParts() => _kernel = new Lazy<Task<string>>(DownloadKernelAsync);

    /// <summary>The folder with the guest's programs, as they are published.</summary>
    internal static string Agents
    {
        get
        {
            var folder = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_AGENTS");
            Assert.SkipUnless(
                folder is not null && File.Exists(Path.Combine(folder, "architekt-init")),
                "ARCHITEKT_TEST_AGENTS does not name a folder with the published projects of guest-agents");
            return folder!;
        }
    }

    /// <summary>A Debian package with a kernel.</summary>
    internal Task<string> KernelAsync() => _kernel.Value;

    public void Dispose() => _folder.Dispose();

    private async Task<string> DownloadKernelAsync()
    {
        Tool.Require("apt-get", "dpkg-deb");
        var known = await Command.RunAsync("apt-cache", ["depends", "linux-image-cloud-amd64"]);
        var name = known.StandardOutput.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("Depends: linux-image-", StringComparison.Ordinal));
        Assert.SkipWhen(name is null, "apt knows no linux-image-cloud-amd64");
        await DebianPackages.DownloadAsync(_folder["kernel"], name!["Depends: ".Length..]);
        return Directory.GetFiles(_folder["kernel"], "*.deb").Single();
    }
}
