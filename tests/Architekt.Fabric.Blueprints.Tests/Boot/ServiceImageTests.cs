using System.Net.Sockets;
using System.Text;
using Architekt.Fabric.Blueprints.Tests.Support;
using Npgsql;

namespace Architekt.Fabric.Blueprints.Tests.Boot;

/// <summary>Images of real services, from a layout to a guest that serves and shuts down.</summary>
public sealed class ServiceImageTests(GuestParts parts) : IDisposable
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\nservice:x:999:998::/home/service:/bin/sh\n";
    private const string Group = "root:x:0:\nwww-data:x:33:\nservice:x:998:\nhelpers:x:777:root,service\n";

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Redis_ServesAsItsUser_AndShutsDownOnThePowerButton()
    {
        using var tar = Base().Folder("data", 0x1ED, 999, 998);
        var image = await ImageAsync(tar, "redis-server", "dash", "coreutils");
        image.Finish(new
        {
            User = "service",
            WorkingDir = "/data",
            Env = new[] { "PATH=/usr/bin:/bin", "GREETING=hello world" },
            Entrypoint = new[] { "/bin/sh", "-c", "id; pwd; echo \"$GREETING from $HOME\"; exec redis-server \"$@\"", "start" },
            Cmd = new[] { "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "3600", "1" },
        });
        var blueprint = await BuildAsync(image, "redis", "tcp:6379", new Dictionary<string, string> { ["vm.overcommit_memory"] = "1" });

        await using (var machine = new TestMachine(blueprint, 6379, "architekt.hostname=first", keepDisk: true))
        {
            await machine.WaitUntilLiveAsync();
            Assert.Contains("+OK", await TalkAsync(machine, "SET color blue\r\nQUIT\r\n"), StringComparison.Ordinal);
            Assert.Contains("\"ok\":true", await machine.AskAgentAsync("""{"id":7,"call":"ping"}"""), StringComparison.Ordinal);
            Assert.Contains("uid=999(service) gid=998(service) groups=998(service),777(helpers)", machine.Console, StringComparison.Ordinal);
            Assert.Contains("/data", machine.Console, StringComparison.Ordinal);
            Assert.Contains("hello world from /home/service", machine.Console, StringComparison.Ordinal);
            Assert.DoesNotContain("overcommit_memory", machine.Console, StringComparison.Ordinal);

            await machine.PressPowerButtonAsync();
            await machine.WaitForPowerOffAsync();
            Assert.Contains("Redis is now ready to exit", machine.Console, StringComparison.Ordinal);
            Assert.Contains("ended with exit code 0", machine.Console, StringComparison.Ordinal);
        }

        // Nothing to recover: the disk was left clean, and what was written is there.
        Assert.DoesNotContain("recover", await Tool.RunAsync("e2fsck", "-fn", Path.Combine(blueprint.Folder, "disk")), StringComparison.Ordinal);
        await using var again = new TestMachine(blueprint, 6379);
        await again.WaitUntilLiveAsync();
        Assert.Contains("blue", await TalkAsync(again, "GET color\r\nQUIT\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nginx_Serves_AndShutsDownOnThePowerButton()
    {
        using var tar = Base()
            .Folder("etc/nginx/conf.d")
            .File("etc/nginx/conf.d/default.conf", "access_log /dev/stdout; server { listen 80; location / { return 200 \"from the guest\"; } }");
        var image = await ImageAsync(tar, "nginx-light");
        image.Finish(new { Cmd = new[] { "nginx", "-g", "daemon off; error_log /dev/stderr notice;" }, StopSignal = "SIGQUIT" });

        await using var machine = new TestMachine(await BuildAsync(image, "nginx", "tcp:80"), 80);
        await machine.WaitUntilLiveAsync();
        Assert.EndsWith("from the guest", await TalkAsync(machine, "GET /here HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
        await machine.PressPowerButtonAsync();
        await machine.WaitForPowerOffAsync();
        Assert.Contains("GET /here", machine.Console, StringComparison.Ordinal);
        Assert.Contains("SIGQUIT", machine.Console, StringComparison.Ordinal);
        Assert.Contains("nginx ended with exit code 0", machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Postgres_MakesItsDatabase_ServesAndShutsDownOnThePowerButton()
    {
        const string Start = """
            #!/bin/sh
            set -e
            [ -s "$PGDATA/PG_VERSION" ] || {
              initdb --auth=trust --no-sync --no-locale --encoding=UTF8
              echo 'host all all 0.0.0.0/0 trust' >>"$PGDATA/pg_hba.conf"
            }
            exec postgres -c listen_addresses='*' "$@"
            """;
        using var tar = Base()
            // As Docker's own image has it: a folder where memory is mounted in a guest.
            .Folder("run/postgresql", 0x5FD, 999, 998).Link("var/run", "../run")
            .Folder("var/lib/pg", 0x1C0, 999, 998)
            .File("usr/local/bin/start", Start, 0x1ED);
        var image = await ImageAsync(tar, "postgresql-15", "dash", "coreutils", "sed", "grep");
        image.Finish(new
        {
            User = "999:998",
            Env = new[] { "PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/bin:/bin", "PGDATA=/var/lib/pg" },
            Entrypoint = new[] { "start" },
            Cmd = new[] { "-c", "fsync=off" },
            StopSignal = "SIGINT",
        });

        await using var machine = new TestMachine(await BuildAsync(image, "postgres", "tcp:5432"), 5432);
        await machine.WaitUntilLiveAsync();
        await using (var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={machine.Port};Username=service;Database=postgres;Timeout=60;Command Timeout=60;Pooling=false"))
        {
            await connection.OpenAsync(Cancellation);
            await using var command = new NpgsqlCommand("SELECT 6 * 7", connection);
            Assert.Equal(42, await command.ExecuteScalarAsync(Cancellation));
        }

        await machine.PressPowerButtonAsync();
        await machine.WaitForPowerOffAsync();
        Assert.Contains("database system is shut down", machine.Console, StringComparison.Ordinal);
        Assert.Contains("start ended with exit code 0", machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EntryPointThatFails_IsNamedWithItsExitCode_AndWhatItLeftIsEnded()
    {
        using var tar = Base();
        var image = await ImageAsync(tar, "dash", "coreutils");
        // One that ends by itself, one that has to be killed, and a parent that has waited for neither.
        image.Finish(new { Entrypoint = new[] { "/bin/sh", "-c", "(trap '' TERM; while :; do sleep 1; done) & (exit 0) & exit 7" } });
        await using var machine = new TestMachine(await BuildAsync(image, "failing", null), 1);
        await machine.WaitForPowerOffAsync();
        Assert.Contains("architekt: /bin/sh ended with exit code 7", machine.Console, StringComparison.Ordinal);
        Assert.DoesNotContain("stays writable", machine.Console, StringComparison.Ordinal);
        Assert.DoesNotContain("cannot be ended", machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingDisk_IsSaidOnTheConsole_BeforeTheGuestPowersOff()
    {
        using var tar = Base();
        var image = await ImageAsync(tar, "dash");
        image.Finish(new { Cmd = new[] { "/bin/sh" } });
        await using var machine = new TestMachine(await BuildAsync(image, "diskless", null), 1, "architekt.root=/dev/vdb");
        await machine.WaitForPowerOffAsync();
        Assert.Contains("there is no disk /dev/vdb", machine.Console, StringComparison.Ordinal);
        Assert.Contains("there are: ", machine.Console, StringComparison.Ordinal);
    }

    private static TarBuilder Base() => new TarBuilder()
        .Folder("etc").File("etc/passwd", Passwd).File("etc/group", Group).Folder("tmp", 0x3FF).Folder("home/service", 0x1ED, 999, 998);

    /// <summary>An image with one layer for each package, in all compressions, and one of ours.</summary>
    private async Task<TestImage> ImageAsync(TarBuilder ours, params string[] packages)
    {
        Tool.Require("mke2fs", "debugfs", "e2fsck", "qemu-system-x86_64");
        _ = GuestParts.Agents;
        var image = new TestImage(_folder["image"]);
        var files = await DebianPackages.DownloadWithDependenciesAsync(_folder["packages"], packages);
        foreach (var (index, file) in files.Index())
            image.AddLayer(await DebianPackages.ReadTarAsync(file), (index % 3) switch { 0 => "gzip", 1 => "zstd", _ => "" });
        return image.AddLayer(ours.Build());
    }

    private async Task<BlueprintResult> BuildAsync(TestImage image, string name, string? ready, IReadOnlyDictionary<string, string>? sysctls = null) =>
        await BlueprintBuilder.BuildAsync(
            new BlueprintSource(image.Folder),
            new BlueprintOptions
            {
                Name = name,
                OutputFolder = _folder["blueprint"],
                Kernel = KernelSource.FromDebianPackages(await parts.KernelAsync()),
                AgentsFolder = GuestParts.Agents,
                Ready = ready,
                Sysctls = sysctls ?? new Dictionary<string, string>(),
            },
            null, Cancellation);

    private static async Task<string> TalkAsync(TestMachine machine, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", machine.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
    }
}
