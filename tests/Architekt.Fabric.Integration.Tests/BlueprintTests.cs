using System.Formats.Tar;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>From a root file system on the client's machine to a VM that runs, by the commands a user types.</summary>
[Collection<SharedHosts>]
public sealed class BlueprintTests(TwoHosts hosts) : IDisposable
{
    private const string Busybox = "/bin/busybox";
    private const string Said = "architekt-says-hello";

    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-blueprint-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Blueprint_BuiltHere_IsImportedFromHereAndRuns()
    {
        hosts.Require();
        var programs = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_AGENTS");
        Assert.SkipUnless(programs is not null, "ARCHITEKT_TEST_AGENTS does not name a folder with the published projects of guest-agents");
        Assert.SkipUnless(File.Exists(Busybox), "busybox-static is not installed");
        var (blueprint, archive) = (Path.Combine(_folder, "hello"), Path.Combine(_folder, "hello.ark"));
        await WriteRootAsync(Path.Combine(_folder, "root.tar"));
        await FabricAsync(
            "blueprint", "build", Path.Combine(_folder, "root.tar"), blueprint, "--root-tar", "--guest-programs", programs!,
            "--entrypoint", $"[\"{Busybox}\",\"sh\",\"-c\",\"echo {Said}; exec {Busybox} sleep 100000\"]");

        // A folder to one host; what that host then has, as an archive, to the other.
        await FabricAsync("package", "import", blueprint, "--host", hosts.HostA.Name);
        await FabricAsync("package", "export", "hello", archive, "--host", hosts.HostA.Name);
        await FabricAsync("package", "import", archive, "--host", hosts.HostB.Name);

        var copies = new[] { hosts.HostA, hosts.HostB }.Select(async host => await hosts.Fabric.FindPackageAsync(host.Name, "hello", Token));
        Assert.Single((await Task.WhenAll(copies)).Select(copy => copy!.Digest).Distinct());
        try
        {
            await FabricAsync("vm", "run", "hello", "--package", "hello", "--host", hosts.HostB.Name, "--no-network", "--wait", "--timeout", "2m");
            Assert.Contains(Said, await FabricAsync("vm", "logs", "hello"), StringComparison.Ordinal);
        }
        finally
        {
            await FabricAsync("vm", "delete", "hello", "--force");
            foreach (var host in hosts.Hosts) await hosts.ForgetAsync(host, "hello", Token);
        }
    }

    private static async Task WriteRootAsync(string path)
    {
        await using var tar = new TarWriter(File.Create(path));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "bin/"), Token);
        await tar.WriteEntryAsync(Busybox, Busybox[1..], Token);
    }

    private async Task<string> FabricAsync(params string[] arguments)
    {
        var result = await hosts.FabricAsync(arguments, Token);
        Assert.True(result.Succeeded, $"fabric {string.Join(' ', arguments)} exited with {result.ExitCode}: {result.StandardError}");
        return result.StandardOutput;
    }
}
