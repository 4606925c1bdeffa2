using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Architekt.Fabric.Benchmarks.Hosts;
using Architekt.Fabric.Peer;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Benchmarks.Start;

/// <summary>A peer that is started and asked as the silo does it, without the silo.</summary>
internal sealed class BenchPeer : IAsyncDisposable
{
    private static readonly TimeSpan _startDeadline = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly PeerInstance _instance;
    private readonly string _folder;

    private BenchPeer(Process process, HttpClient http, PeerInstance instance, string folder, long began)
    {
        (_process, _http, _instance, _folder) = (process, http, instance, folder);
        Began = began;
    }

    /// <summary>The moment of its start, a <see cref="Stopwatch"/> timestamp.</summary>
    public long Began { get; }

    /// <summary>Prepares folder and disk, which is not timed, and starts the peer.</summary>
    public static async Task<BenchPeer> StartAsync(BenchHost host, StartOptions options, PeerInstance like, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(options.Folder, like.Vm);
        Directory.CreateDirectory(folder);
        var instance = like with { OverlayDiskPath = Path.Combine(folder, "disk.qcow2"), ConsoleLogPath = Path.Combine(folder, "console.log") };
        await Command.RunCheckedAsync(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", instance.BaseDiskPath!, instance.OverlayDiskPath], cancellationToken: cancellationToken);
        await File.WriteAllBytesAsync(instance.ConsoleLogPath, [], cancellationToken);
        foreach (var file in new[] { instance.OverlayDiskPath, instance.ConsoleLogPath }) FileOwner.Give(file, instance.QemuUserId);
        await File.WriteAllTextAsync(
            Path.Combine(folder, PeerApi.InstanceFile), JsonSerializer.Serialize(instance, PeerJson.Default.PeerInstance), cancellationToken);

        var began = Stopwatch.GetTimestamp();
        var process = host.Start(
            "/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1", Path.Combine(folder, "peer.log"), Path.Combine(options.RunFolder, "silo", "peer", "architekt-peer"), "--folder", folder]);
        var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(Path.Combine(folder, PeerApi.SocketName), process, token) })
        {
            BaseAddress = new Uri($"http://peer/v{PeerApi.Version}/"),
        };
        return new BenchPeer(process, http, instance, folder, began);
    }

    public async Task<PeerStatus> BootAsync(CancellationToken cancellationToken) =>
        await ReadAsync(await _http.PostAsJsonAsync("boot", new PeerGrant(_instance.Epoch), PeerJson.Default.PeerGrant, cancellationToken), cancellationToken);

    public async Task<PeerStatus> GetStatusAsync(CancellationToken cancellationToken) =>
        await ReadAsync(await _http.GetAsync(new Uri("status", UriKind.Relative), cancellationToken), cancellationToken);

    public async Task<PeerStatus> SetFillAsync(string mode, CancellationToken cancellationToken) => await ReadAsync(
        await _http.PostAsJsonAsync("fill", new PeerFillMode(_instance.Epoch, mode), PeerJson.Default.PeerFillMode, cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await _http.PostAsJsonAsync("stop", new PeerStop(_instance.Epoch, Force: true), PeerJson.Default.PeerStop);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<PeerStatus> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"The peer refused: {await response.Content.ReadAsStringAsync(cancellationToken)}");
            return (await response.Content.ReadFromJsonAsync(PeerJson.Default.PeerStatus, cancellationToken))!;
        }
    }

    private static async ValueTask<Stream> ConnectAsync(string path, Process process, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (!process.HasExited && Stopwatch.GetElapsedTime(began) < _startDeadline)
            {
                socket.Dispose();
                await Task.Delay(TimeSpan.FromMilliseconds(1), cancellationToken);
            }
        }
    }
}
