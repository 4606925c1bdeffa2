using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.Text.Json;
using Architekt.Fabric.Blueprints;
using Architekt.Fabric.Blueprints.Tests.Support;
using Architekt.Fabric.Cli.Commands;
using Architekt.Fabric.Cli.Tests.Fakes;
using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Tests.Commands;

/// <summary>The command over the real builder, with a kernel and programs that are none.</summary>
public sealed class BlueprintTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("architekt-blueprint-").FullName;
    private readonly TestCli _cli = new() { ConnectFault = FabricException.Unavailable("Building needs no fabric.") };

    public void Dispose()
    {
        _cli.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Output => Path.Combine(_folder, "redis");

    private string Parts => Path.Combine(_folder, "parts");

    [Fact]
    public async Task Build_RootTar_MakesABlueprintThatIsWhatItsManifestSays()
    {
        Assert.Equal(ExitCode.Ok, await BuildAsync("--label", "team=cache", "--memory", "64M", "--vcpus", "2"));

        Assert.Equal("reading the image\nunpacking 1 layer\ngetting the kernel\nmaking the disk\nwriting the manifest\n", _cli.Error);
        var info = await PackageFile.VerifyAsync(Output, null, TestContext.Current.CancellationToken);
        Assert.Equal(("redis", PackageKind.Blueprint, 2, 64L << 20), (info.Manifest.Name, info.Manifest.Kind, info.Manifest.Vcpus, info.Manifest.MemoryBytes));
        Assert.Equal(("cache", FakeParts.KernelVersion), (info.Manifest.Labels["team"], info.Manifest.Labels["kernel"]));
        foreach (var shown in new[] { "Blueprint:", "redis", Output, "64 MiB", "team=cache", info.Digest }) Assert.Contains(shown, _cli.Out);
    }

    [Fact]
    public async Task Build_Json_IsOneObjectAndNothingElse()
    {
        Assert.Equal(ExitCode.Ok, await BuildAsync("-o", "json"));

        var json = JsonDocument.Parse(_cli.Out).RootElement;
        Assert.Equal((Output, "redis", 256L << 20), (json.GetProperty("path").GetString(), json.GetProperty("name").GetString(), json.GetProperty("memoryBytes").GetInt64()));
        Assert.Equal((await PackageFile.InspectAsync(Output, TestContext.Current.CancellationToken)).Digest, json.GetProperty("digest").GetString());
        Assert.Equal("", _cli.Error);
    }

    [Fact]
    public async Task Build_FolderIsThere_ExitsWithConflictUnlessItMayBeReplaced()
    {
        Assert.Equal(ExitCode.Ok, await BuildAsync("-q"));
        Assert.Equal(Output + "\n", _cli.Out);

        Assert.Equal(ExitCode.Conflict, await BuildAsync("-q"));
        Assert.Equal(ExitCode.Ok, await BuildAsync("-q", "--replace"));
    }

    [Fact]
    public async Task Build_NoSource_Exits3WithOneSentenceAndLeavesNothing()
    {
        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("blueprint", "build", Path.Combine(_folder, "none"), Output, "-q", "--guest-programs", FakeParts.Make(Parts)));

        Assert.StartsWith("fabric: ", _cli.Error);
        Assert.Equal(1, _cli.Error.Count(character => character == '\n'));
        Assert.Equal([Parts], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task Build_WithoutTheGuestsPrograms_SaysWhichFolderLacksThemAndWhatToDo()
    {
        _cli.Environment["FABRIC_GUEST_PROGRAMS"] = Path.Combine(_folder, "nowhere");

        Assert.Equal(ExitCode.NotFound, await _cli.RunAsync("blueprint", "build", _folder, Output, "-q"));

        Assert.Contains($"{_folder}/nowhere, lacks architekt-init; publish", _cli.Error);
    }

    [Fact]
    public async Task Build_DamagedImage_Fails()
    {
        var source = Path.Combine(_folder, "image.tar");
        await File.WriteAllTextAsync(source, "no image", TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Failed, await _cli.RunAsync("blueprint", "build", source, Output, "-q", "--guest-programs", FakeParts.Make(Parts)));
    }

    [Fact]
    public void Read_EveryOption_ReachesTheBuilder()
    {
        var read = Read(
            "--name", "cache", "--kernel", "/boot/vmlinuz", "--kernel-modules", "/lib/modules/1", "--module", "dm_mod", "--module", "xfs", "--kernel-command-line", "console=ttyS0",
            "--sysctl", "vm.overcommit_memory=1", "--entrypoint", "[\"redis-server\", \"/etc/redis.conf\"]", "--cmd", "--verbose", "--env", "A=b=c", "--env", "A=d", "--user", "redis:redis",
            "--workdir", "/data", "--stop-signal", "SIGINT", "--stop-timeout", "3s", "--ready", "tcp:6379", "--hostname", "first", "--before-suspend", "sync", "--after-resume", "true",
            "--vcpus", "4", "--memory", "1G", "--slack", "8M", "--machine", "microvm", "--label", "team=cache", "--created-at", "2026-01-31T12:00:00Z", "--replace", "--guest-programs", "/srv/guest");

        Assert.Equal(
            new BlueprintOptions
            {
                Name = "cache",
                OutputFolder = Output,
                Kernel = KernelSource.FromFile("/boot/vmlinuz", "/lib/modules/1"),
                AgentsFolder = "/srv/guest",
                Replace = true,
                EntryPoint = read.EntryPoint,
                Arguments = read.Arguments,
                Environment = read.Environment,
                User = "redis:redis",
                WorkingDirectory = "/data",
                StopSignal = "SIGINT",
                StopTimeout = TimeSpan.FromSeconds(3),
                Ready = "tcp:6379",
                HostName = "first",
                BeforeSuspend = "sync",
                AfterResume = "true",
                Sysctls = read.Sysctls,
                Modules = read.Modules,
                Vcpus = 4,
                MemoryBytes = 1L << 30,
                MachineType = PackageMachineType.Microvm,
                KernelCommandLine = "console=ttyS0",
                DiskSlackBytes = 8 << 20,
                CreatedAt = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero),
                Labels = read.Labels,
            },
            read with { Kernel = KernelSource.FromFile("/boot/vmlinuz", "/lib/modules/1") });
        Assert.Equal(["redis-server", "/etc/redis.conf"], read.EntryPoint);
        Assert.Equal(["--verbose"], read.Arguments);
        Assert.Equal(["dm_mod", "xfs"], read.Modules);
        Assert.Equal(("d", "1", "cache"), (read.Environment["A"], read.Sysctls["vm.overcommit_memory"], read.Labels["team"]));
    }

    [Fact]
    public void Read_NoOption_LeavesEverythingToTheImageAndTheBuilder()
    {
        var read = Read();

        Assert.Equal(
            new BlueprintOptions { Name = "redis", OutputFolder = Output, Kernel = read.Kernel, AgentsFolder = Path.Combine(AppContext.BaseDirectory, "guest") }
                with
            { Environment = read.Environment, Sysctls = read.Sysctls, Modules = read.Modules, Labels = read.Labels },
            read);
        Assert.Empty(read.Environment.Concat(read.Sysctls).Concat(read.Labels));
        Assert.Empty(read.Modules);
    }

    private BlueprintOptions Read(params string[] args)
    {
        var options = new BlueprintBuildOptions();
        var command = new Command("build");
        options.AddTo(command);
        var parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);
        return options.Read(parsed, Output, _ => null);
    }

    private async Task<ExitCode> BuildAsync(params string[] more)
    {
        RequireTools();
        var source = Path.Combine(_folder, "root.tar");
        await using (var tar = new TarWriter(File.Create(source)))
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "bin/"), TestContext.Current.CancellationToken);
        FakeParts.Make(Parts);
        return await _cli.RunAsync(
            ["blueprint", "build", source, Output, "--root-tar", "--kernel", Path.Combine(Parts, "vmlinuz"), "--guest-programs", Parts, "--entrypoint", "/bin/true", "--slack", "1M", .. more]);
    }

    private static void RequireTools()
    {
        foreach (var tool in new[] { "mke2fs", "debugfs" })
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(tool, "-V") { RedirectStandardError = true, RedirectStandardOutput = true })!;
                process.WaitForExit();
            }
            catch (Win32Exception)
            {
                Assert.Skip($"{tool} is not installed");
            }
        }
    }
}
