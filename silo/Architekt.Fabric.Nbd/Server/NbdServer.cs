using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// NBD server: any number of exports on any number of listeners. Speaks the fixed newstyle handshake without TLS, simple and structured replies and
/// <c>base:allocation</c> (NetworkBlockDevice/nbd, doc/proto.md). Reads and writes are limited to 32 MiB, as advertised; zeroing and trimming are not.
/// </summary>
public sealed class NbdServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, ExportRegistration> _exports = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ServerConnection, Task> _connections = new();
    private readonly Lock _listenerLock = new();
    private readonly List<NbdListener> _listeners = [];
    private int _connectionCount;
    private volatile bool _stopping;

    /// <summary>Creates a server that listens nowhere yet.</summary>
    public NbdServer(NbdServerOptions? options = null)
    {
        Options = options ?? new NbdServerOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.MaxBytesInFlight, NbdProtocol.MaximumBlockSize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.MaxRequestsInFlight, 1, nameof(options));
    }

    /// <summary>Connections being served.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    internal NbdServerOptions Options { get; }

    internal bool IsStopping => _stopping;

    /// <summary>Serves an export from now on. Its name must not be in use.</summary>
    public void AddExport(INbdExport export)
    {
        ArgumentNullException.ThrowIfNull(export);
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (Encoding.UTF8.GetByteCount(export.Name) > NbdProtocol.MaxString || export.Name.Contains('\0'))
            throw new ArgumentException("The name of an NBD export is at most 4096 bytes of UTF-8 without NUL.", nameof(export));
        ArgumentOutOfRangeException.ThrowIfNegative(export.Size, nameof(export));
        if (!_exports.TryAdd(export.Name, new ExportRegistration(export)))
            throw new ArgumentException($"The NBD server already has an export '{export.Name}'; remove it first or choose another name.", nameof(export));
    }

    /// <summary>
    /// Stops serving an export. Later requests on it, also of connections that have it open, fail with <see cref="NbdError.ShuttingDown"/>. When the task ends,
    /// nothing touches the export any more. Connections whose requests do not end within <see cref="NbdServerOptions.DrainTimeout"/> are cut.
    /// False when there is no such export.
    /// </summary>
    public async ValueTask<bool> RemoveExportAsync(string name, CancellationToken cancellationToken = default)
    {
        if (!_exports.TryRemove(name, out var registration))
            return false;
        var idle = registration.CloseAsync();
        try
        {
            await idle.WaitAsync(Options.DrainTimeout, Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            ServerLog.Cut(Options.Logger, name);
            foreach (var connection in _connections.Keys.Where(c => c.Registration == registration))
                connection.Abort();
            await idle.ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Listens on a TCP or unix socket and returns where: port 0 becomes a real one. A unix socket file that nobody listens on any more is replaced.</summary>
    public EndPoint Listen(EndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        ObjectDisposedException.ThrowIf(_stopping, this);
        var listener = new NbdListener(this, endPoint);
        lock (_listenerLock)
            _listeners.Add(listener);
        listener.Start();
        return listener.EndPoint;
    }

    /// <summary>Serves one connected socket until it ends, and disposes it. Cancelling cuts the connection.</summary>
    public Task ServeAsync(Socket socket, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return ServeAsync(new SocketTransport(socket), cancellationToken);
    }

    /// <summary>Serves one connected stream until it ends, and disposes it. Cancelling cuts the connection.</summary>
    public Task ServeAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return ServeAsync(new StreamTransport(stream), cancellationToken);
    }

    /// <summary>Stops listening, cuts every connection, and waits until nothing touches an export any more. The exports stay the caller's.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        NbdListener[] listeners;
        lock (_listenerLock)
        {
            listeners = [.. _listeners];
            _listeners.Clear();
        }

        foreach (var listener in listeners)
            await listener.DisposeAsync().ConfigureAwait(false);
        while (!_connections.IsEmpty)
        {
            foreach (var connection in _connections.Keys)
                connection.Abort();
            await Task.WhenAll(_connections.Values).ConfigureAwait(false);
        }
    }

    internal ExportRegistration? Find(string name)
    {
        if (name.Length == 0 && Options.DefaultExportName is { } defaultName)
            name = defaultName;
        return _exports.GetValueOrDefault(name);
    }

    internal IEnumerable<INbdExport> ListedExports() =>
        _exports.Values.Select(registration => registration.Export).Where(export => export.IsListed).OrderBy(export => export.Name, StringComparer.Ordinal);

    private async Task ServeAsync(NbdTransport transport, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _connectionCount) > Options.MaxConnections)
        {
            Interlocked.Decrement(ref _connectionCount);
            ServerLog.TooMany(Options.Logger, Options.MaxConnections);
            transport.Abort();
            return;
        }

        using var connection = new ServerConnection(this, transport);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection] = ended.Task;
        try
        {
            // Registered before the check: either this sees that the server stops, or the stopping server sees this connection.
            if (_stopping)
                connection.Abort();
            using (cancellationToken.UnsafeRegister(static state => ((ServerConnection)state!).Abort(), connection))
                await connection.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            _connections.TryRemove(connection, out _);
            Interlocked.Decrement(ref _connectionCount);
            ended.SetResult();
        }
    }
}
