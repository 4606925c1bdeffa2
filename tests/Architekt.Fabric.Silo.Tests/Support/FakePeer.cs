using System.Diagnostics;
using System.Text.Json;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Peers;
using Architekt.Fabric.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Architekt.Fabric.Silo.Tests.Support;

/// <summary>What this assembly is when it is started as a peer. The instance's kernel command line says how it is to behave; its QEMU sleeps.</summary>
internal static class FakePeer
{
    /// <summary>Answers; asked to stop it ends as <see cref="PeerExitKind.ShutDown"/>, released as <see cref="PeerExitKind.Released"/>, and so on.</summary>
    public const string Answers = "answers";

    /// <summary>Answers, and goes on whatever it is asked.</summary>
    public const string Stays = "stays";

    /// <summary>As <see cref="Stays"/>, but does not answer before <see cref="GoFile"/> is in the instance folder.</summary>
    public const string Waits = "waits";

    /// <summary>What one that waits waits for.</summary>
    public const string GoFile = "go";

    /// <summary>Says why it cannot and ends.</summary>
    public const string Dies = "dies";

    /// <summary>The guest is up once this file is in the instance folder.</summary>
    public const string LiveFile = "live";

    public const string LastWords = "I cannot go on: there is no QEMU";

    /// <summary>The executable to start.</summary>
    public static string Program { get; } = Path.ChangeExtension(typeof(FakePeer).Assembly.Location, null);

    public static async Task<int> RunAsync(string path)
    {
        var folder = new InstanceFolder(path);
        var instance = folder.ReadInstance()!;
        if (instance.KernelCommandLine == Dies)
        {
            Console.WriteLine("starting");
            Console.WriteLine(LastWords);
            return 3;
        }

        using var qemu = Process.Start("sleep", "600");
        var (self, child) = (ProcessIdentity.Current, ProcessIdentity.Of(qemu.Id));
        Write(path, PeerApi.IdentityFile, JsonSerializer.Serialize(
            new PeerIdentity(PeerApi.Version, self.Pid, self.StartTicks, child.Pid, child.StartTicks, instance.Epoch), PeerJson.Default.PeerIdentity));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(path, PeerApi.SocketName)));
        await using var app = builder.Build();
        app.Run(async context =>
        {
            var live = File.Exists(Path.Combine(path, LiveFile));
            var status = new PeerStatus(instance.Vm, instance.Epoch, instance.Epoch, PeerState.Running, live, null, 0);
            await context.Response.WriteAsync(JsonSerializer.Serialize(status, PeerJson.Default.PeerStatus));
            if (context.Request.Method == HttpMethods.Get || instance.KernelCommandLine is Stays or Waits) return;
            var kind = Path.GetFileName(context.Request.Path.Value!) switch
            {
                "release" => PeerExitKind.Released,
                "boot" => PeerExitKind.StartFailed,
                "checkpoint" => PeerExitKind.Suspended,
                _ => PeerExitKind.ShutDown,
            };
            Write(path, PeerApi.ExitFile, JsonSerializer.Serialize(new PeerExit(instance.Epoch, kind, "as asked"), PeerJson.Default.PeerExit));
            app.Lifetime.StopApplication();
        });
        if (instance.KernelCommandLine == Waits) await WaitForAsync(Path.Combine(path, GoFile));
        await app.RunAsync();
        return 0;
    }

    private static async Task WaitForAsync(string file)
    {
        while (!File.Exists(file)) await Task.Delay(10);
    }

    private static void Write(string folder, string name, string json) => File.WriteAllText(Path.Combine(folder, name), json);
}
