using System.Text.Json;
using Architekt.Fabric.Peer.Machine;
using Architekt.Fabric.Processes;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Architekt.Fabric.Peer.Hosting;

/// <summary>Runs the peer: an HTTP API on a unix socket in the instance folder, for as long as the VM lives.</summary>
internal static class PeerHost
{
    private const int UsageError = 2;
    private const int GuestNice = -10;

    /// <summary>How long calls that are in flight may hold up the end of a peer whose VM is gone: its host has to clear up after it.</summary>
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not ["--folder", { Length: > 0 } path])
        {
            await Console.Error.WriteLineAsync("Usage: architekt-peer --folder INSTANCE_FOLDER (started by the silo, not by hand).");
            return UsageError;
        }

        PeerInstance? instance;
        try
        {
            instance = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(Path.Combine(path, PeerApi.InstanceFile)), PeerJson.Default.PeerInstance);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            await Console.Error.WriteLineAsync($"architekt-peer: '{path}' is not an instance folder: {error.Message}");
            return UsageError;
        }

        if (instance is null || !PeerApi.IsKnown(instance.ApiVersion))
        {
            await Console.Error.WriteLineAsync($"architekt-peer: '{path}' was written for peer API {instance?.ApiVersion}, this one knows {PeerApi.OldestVersion} to {PeerApi.Version}; install silo and peer of one version.");
            return UsageError;
        }

        // A guest outranks what else runs on its host, the silo included: a pause waits for nobody's housekeeping. QEMU inherits it.
        ProcessPriority.TrySet(Environment.ProcessId, GuestNice);
        var logging = new Lazy<ILoggerFactory>(CreateLogging);
        using var service = new PeerService(
            instance, new PeerFolder(path), new PeerTracking(), TimeProvider.System, new LazyLogger<PeerService>(logging), FaultGate());
        await service.WriteIdentityAsync();

        // QEMU starts on one processor, while another makes what this peer is asked by.
        service.PrepareResume();
        using var loggers = logging.Value;
        await using var app = Build(service, loggers, Path.Combine(path, PeerApi.SocketName));
        if (instance.Keeper is { } keeper) _ = EndWithAsync(keeper, service);
        await app.RunAsync();
        return 0;
    }

    private static ILoggerFactory CreateLogging() => LoggerFactory.Create(static logging => logging.SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddSimpleConsole(static console => (console.SingleLine, console.UseUtcTimestamp, console.TimestampFormat) = (true, true, "yyyy-MM-dd HH:mm:ss.fff ")));

    private static WebApplication Build(PeerService service, ILoggerFactory logging, string socket)
    {
        // Empty: a peer has no settings of its own, and looking for some in files takes 30 ms.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        File.Delete(socket);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket, static listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.AddRoutingCore();
        builder.Services.ConfigureHttpJsonOptions(static json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, PeerJson.Default));
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = ShutdownLimit);
        builder.Services.AddSingleton(logging);
        builder.Services.AddSingleton(service);

        var app = builder.Build();
        PeerEndpoints.Map(app);
        app.Lifetime.ApplicationStopping.Register(() => service.EndAsync(PeerExitKind.Killed, "its peer was told to end").GetAwaiter().GetResult());
        service.Ended += () => app.Lifetime.StopApplication();
        return app;
    }

    /// <summary>
    /// For compose/faults.sh, by the environment it was started in: a silo has none of these settings unless it was started in the environment
    /// "Test", see FabricOptions.FaultGateFolder.
    /// </summary>
    private static FileGate? FaultGate() =>
        Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") == "Test" && Environment.GetEnvironmentVariable("Fabric__FaultGateFolder") is { Length: > 0 } folder
            ? new FileGate(folder, TimeProvider.System)
            : null;

    /// <summary>Whoever keeps the instance may be killed and say nothing.</summary>
    private static async Task EndWithAsync(PeerKeeper keeper, PeerService service)
    {
        await new ProcessIdentity(keeper.Pid, keeper.StartTicks).WaitForExitAsync(Timeout.InfiniteTimeSpan);
        await service.EndAsync(PeerExitKind.Killed, "the process that kept it has ended");
    }
}
