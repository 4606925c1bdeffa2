using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Peer.Tests.Support;

/// <summary>A peer in a process of its own, as a silo starts it, for tests that stop or kill it.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly HttpClient _http;

    private PeerProcess(string folder, ProcessIdentity process, int version)
    {
        _folder = folder;
        Process = process;
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false }) { BaseAddress = new Uri($"http://peer/v{version}/") };
    }

    public ProcessIdentity Process { get; }

    /// <param name="host">Where its folder is made.</param>
    /// <param name="guest">The folder of the blueprint.</param>
    /// <param name="version">The version of the API that it is spoken to in.</param>
    /// <param name="write">Writes the instance file; without it, one of a guest that needs a lease.</param>
    public static async Task<PeerProcess> StartAsync(TestHost host, string guest, int version = PeerApi.Version, Func<PeerInstance, string>? write = null)
    {
        TestHost.RequireQemu();
        var program = Environment.GetEnvironmentVariable("ARCHITEKT_TEST_PEER");
        if (string.IsNullOrEmpty(program)) Assert.Skip("ARCHITEKT_TEST_PEER does not name a published peer.");
        var (folder, instance) = await host.CreateAsync(epoch: 2, guest);
        var json = write?.Invoke(instance) ?? JsonSerializer.Serialize(instance with { HasLease = true }, PeerJson.Default.PeerInstance);
        await File.WriteAllTextAsync(Path.Combine(folder, PeerApi.InstanceFile), json, TestContext.Current.CancellationToken);
        var process = await DetachedProcess.StartAsync(
            program, ["--folder", folder], env: null, workingDir: folder, Path.Combine(folder, "peer.log"), TestContext.Current.CancellationToken);
        var peer = new PeerProcess(folder, process, version);
        await Deadline.UntilAsync(() => File.Exists(Path.Combine(folder, PeerApi.SocketName)) && File.Exists(Path.Combine(folder, PeerApi.IdentityFile)), "the peer answers");
        return peer;
    }

    public ProcessIdentity Qemu()
    {
        var identity = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(_folder, PeerApi.IdentityFile)), PeerJson.Default.PeerIdentity)!;
        return new ProcessIdentity(identity.QemuPid, identity.QemuStartTicks);
    }

    public async Task<PeerStatus> GetStatusAsync() =>
        (await _http.GetFromJsonAsync("status", PeerJson.Default.PeerStatus, Deadline.After(30)))!;

    public async Task<PeerStatus> PostAsync<T>(string call, T body, JsonTypeInfo<T> type)
    {
        using var content = JsonContent.Create(body, type);
        using var response = await _http.PostAsync(new Uri(call, UriKind.Relative), content, Deadline.After(30));
        Assert.True(response.IsSuccessStatusCode, $"{call}: {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return (await response.Content.ReadFromJsonAsync(PeerJson.Default.PeerStatus, TestContext.Current.CancellationToken))!;
    }

    public async Task<PeerExit> WaitForExitAsync()
    {
        var file = Path.Combine(_folder, PeerApi.ExitFile);
        await Deadline.UntilAsync(() => File.Exists(file), "exit.json is written");
        return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken), PeerJson.Default.PeerExit)!;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        var qemu = Qemu();
        Process.Kill(ProcessSignal.Kill);
        await Process.WaitForExitAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
        if (qemu.Pid == 0) return;
        qemu.Kill(ProcessSignal.Kill);
        await qemu.WaitForExitAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, PeerApi.SocketName)), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
