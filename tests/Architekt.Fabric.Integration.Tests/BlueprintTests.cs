using System.Formats.Tar;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Integration.Tests;

/// <summary>From a root file system on the client's machine to a VM that runs, by the commands a user types.</summary>
public sealed class BlueprintTests(TwoHosts hosts) : IClassFixture<TwoHosts>, IDisposable
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
        }
    }

    private static async Task WriteRootAsync(string path)
    {
        await using var tar = new TarWriter(File.Create(path));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "bin/"), Token);
        await tar.WriteEntryAsync(Busybox, Busybox[1..], Token);
    }

    /// <summary>Runs the command as a process of its own and returns what it printed.</summary>
    private async Task<string> FabricAsync(params string[] arguments)
    {
        var options = new CommandOptions
        {
            Environment = new Dictionary<string, string?>
            {
                ["FABRIC_GATEWAYS"] = $"{hosts.HostA.Gateway},{hosts.HostB.Gateway}",
                ["FABRIC_CLUSTER_ID"] = "integration",
                ["FABRIC_CONNECT_TIMEOUT"] = "30s",
            },
            Timeout = TimeSpan.FromMinutes(3),
        };

        // Beside these tests it has their libraries, which come from two frameworks and not from its one.
        string InFolder(string name) => Path.Combine(AppContext.BaseDirectory, name);
        var tests = typeof(BlueprintTests).Assembly.GetName().Name;
        string[] command = ["exec", "--runtimeconfig", InFolder($"{tests}.runtimeconfig.json"), "--depsfile", InFolder($"{tests}.deps.json"), InFolder("fabric.dll")];
        return (await Command.RunCheckedAsync("dotnet", [.. command, .. arguments], options, Token)).StandardOutput;
    }
}
