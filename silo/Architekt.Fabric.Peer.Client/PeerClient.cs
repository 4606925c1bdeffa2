using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Peers;

/// <summary>Speaks to one peer over its unix socket. Connections are kept, so that the calls in a pause need not open any.</summary>
public sealed class PeerClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _socket;
    private readonly Func<PeerCallException, Exception> _translate;

    /// <summary>Makes a client; nothing is opened yet.</summary>
    /// <param name="folder">The peer's instance folder.</param>
    /// <param name="translate">Makes the caller's own exception of what goes wrong; by default it is thrown as it is.</param>
    /// <param name="version">The version of the API the instance was written for.</param>
    public PeerClient(string folder, Func<PeerCallException, Exception>? translate = null, int version = PeerApi.Version)
    {
        _translate = translate ?? (static error => error);
        _socket = Path.Combine(folder, PeerApi.SocketName);
        _http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false })
        {
            BaseAddress = new Uri($"http://peer/v{version}/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>What the peer is doing.</summary>
    public Task<PeerStatus> GetStatusAsync(CancellationToken cancellationToken) =>
        GetAsync("status", PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Progress newer than <paramref name="after"/>, or the latest after a second.</summary>
    public Task<PeerTransfer> GetTransferAsync(long after, CancellationToken cancellationToken) =>
        GetAsync($"transfer?after={after}", PeerJson.Default.PeerTransfer, cancellationToken);

    /// <summary>Starts QEMU and lets the guest run, booted or resumed as its instance says.</summary>
    public Task<PeerStatus> BootAsync(long epoch, CancellationToken cancellationToken) =>
        PostAsync("boot", new PeerGrant(epoch), PeerJson.Default.PeerGrant, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Lets the guest run until a time.</summary>
    public Task<PeerStatus> LeaseAsync(PeerLease lease, CancellationToken cancellationToken) =>
        PostAsync("lease", lease, PeerJson.Default.PeerLease, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Writes the guest down.</summary>
    public Task<PeerCheckpointed> CheckpointAsync(PeerCheckpoint checkpoint, CancellationToken cancellationToken) =>
        PostAsync("checkpoint", checkpoint, PeerJson.Default.PeerCheckpoint, PeerJson.Default.PeerCheckpointed, cancellationToken);

    /// <summary>Says under which digest a checkpoint became a package, which makes it a base of the guest that went on.</summary>
    public Task<PeerStatus> NameCheckpointAsync(PeerBaseName name, CancellationToken cancellationToken) =>
        PostAsync("checkpoint/name", name, PeerJson.Default.PeerBaseName, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Presses the guest's power button, or ends QEMU.</summary>
    public Task<PeerStatus> StopAsync(long epoch, bool force, CancellationToken cancellationToken) =>
        PostAsync("stop", new PeerStop(epoch, force), PeerJson.Default.PeerStop, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Starts QEMU for a migration to here.</summary>
    public Task<PeerOffer> IncomingAsync(PeerIncoming incoming, CancellationToken cancellationToken) =>
        PostAsync("incoming", incoming, PeerJson.Default.PeerIncoming, PeerJson.Default.PeerOffer, cancellationToken);

    /// <summary>Starts copying away; answers at once.</summary>
    public Task<PeerStatus> CopyAsync(PeerCopy copy, CancellationToken cancellationToken) =>
        PostAsync("copy", copy, PeerJson.Default.PeerCopy, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Asks the guest agent to get ready to stop.</summary>
    public Task<PeerStatus> SuspendAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("suspend", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Stops the guest and hands everything over.</summary>
    public Task<PeerSwitched> SwitchAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("switch", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerSwitched, cancellationToken);

    /// <summary>Waits until the device state is loaded.</summary>
    public Task<PeerLoaded> WaitLoadedAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("loaded", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerLoaded, cancellationToken);

    /// <summary>The grant: lets a loaded guest run.</summary>
    public Task<PeerRunning> RunAsync(long epoch, bool isRehearsal, CancellationToken cancellationToken) =>
        PostAsync("run", new PeerGrant(epoch, isRehearsal), PeerJson.Default.PeerGrant, PeerJson.Default.PeerRunning, cancellationToken);

    /// <summary>After the commit: ends what is left at the source.</summary>
    public Task<PeerReleased> ReleaseAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("release", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerReleased, cancellationToken);

    /// <summary>Undoes whatever was begun; the guest runs.</summary>
    public Task<PeerStatus> RollBackAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("rollback", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerStatus, cancellationToken);

    /// <summary>Ends an instance that was never granted.</summary>
    public Task<PeerStatus> DiscardAsync(PeerStep step, CancellationToken cancellationToken) =>
        PostAsync("discard", step, PeerJson.Default.PeerStep, PeerJson.Default.PeerStatus, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<TAnswer> GetAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return await SendAsync(request, type, cancellationToken);
    }

    private async Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) };
        return await SendAsync(request, type, cancellationToken);
    }

    private async Task<TAnswer> SendAsync<TAnswer>(HttpRequestMessage request, JsonTypeInfo<TAnswer> type, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
                return await response.Content.ReadFromJsonAsync(type, cancellationToken) ?? throw new JsonException("empty answer");
            throw _translate(await ToExceptionAsync(response, cancellationToken));
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException)
        {
            throw _translate(new PeerCallException(code: null, $"The peer at '{_socket}' does not answer: {error.Message}", isUnavailable: true, error));
        }
    }

    private static async Task<PeerCallException> ToExceptionAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        PeerError? error = null;
        try
        {
            error = await response.Content.ReadFromJsonAsync(PeerJson.Default.PeerError, cancellationToken);
        }
        catch (JsonException)
        {
            // It answers, so it is not unavailable: it just does not know the call.
        }

        return new PeerCallException(error?.Code, error?.Message ?? $"The peer answered {(int)response.StatusCode}.");
    }
}
