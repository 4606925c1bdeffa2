using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Architekt.Fabric.Qemu;

/// <summary>
/// A client of QEMU's machine protocol (docs/interop/qmp-spec.rst in QEMU): JSON objects, one per line, on a unix socket.
/// Safe for concurrent use. QEMU talks to one client per monitor at a time; a second one gets no greeting until the first has gone.
/// </summary>
public sealed class QmpClient : IAsyncDisposable
{
    /// <summary>A limit only against a peer that never ends its line: full CPU model expansions and block graphs are below 1 MiB.</summary>
    internal const int MaximumLineLength = 64 * 1024 * 1024;

    /// <summary>sun_path is 108 bytes including its terminator (unix(7)).</summary>
    internal const int MaximumSocketPathBytes = 107;

    private static readonly TimeSpan _connectInterval = TimeSpan.FromMilliseconds(2);

    private readonly string _socketPath;
    private readonly Socket _socket;
    private readonly ILogger _logger;
    private readonly QmpEventHub _events = new();
    private readonly ConcurrentDictionary<long, PendingCommand> _pending = new();
    private readonly TaskCompletionSource<JsonElement> _greeting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly Task _readLoop;
    private long _lastId;
    private Exception? _ended;
    private int _disposed;

    private QmpClient(Socket socket, string socketPath, ILogger logger)
    {
        (_socket, _socketPath, _logger) = (socket, socketPath, logger);
        // Made here and not in the loop: it wants a connected socket, and the client may be disposed before the loop gets to run.
        var stream = new NetworkStream(socket, ownsSocket: false);
        _readLoop = Task.Run(() => ReadLoopAsync(stream));
    }

    /// <summary>Version of the QEMU at the other end, from its greeting.</summary>
    public Version QemuVersion { get; private set; } = new();

    /// <summary>Completes when the connection has ended, for whatever reason; never fails.</summary>
    public Task Completion => _readLoop;

    /// <inheritdoc cref="ConnectAsync(string, TimeProvider, ILogger, CancellationToken)"/>
    public static Task<QmpClient> ConnectAsync(string socketPath, TimeProvider timeProvider, CancellationToken cancellationToken) =>
        ConnectAsync(socketPath, timeProvider, NullLogger.Instance, cancellationToken);

    /// <summary>Waits until the socket exists and accepts, then for the greeting, and leaves negotiation mode.</summary>
    /// <param name="socketPath">At most 107 bytes (unix(7)).</param>
    /// <param name="timeProvider">Times the attempts, 2 ms apart.</param>
    /// <param name="logger">Gets commands and events at debug and trace level.</param>
    /// <param name="cancellationToken">The only limit to the waiting.</param>
    /// <exception cref="QmpConnectionException">The other end closed before it was ready, or does not speak QMP.</exception>
    public static async Task<QmpClient> ConnectAsync(
        string socketPath, TimeProvider timeProvider, ILogger logger, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        UnixSocketPath.Validate(socketPath);
        var socket = await UnixSocketPath.ConnectWhenReadyAsync(socketPath, _connectInterval, timeProvider, cancellationToken).ConfigureAwait(false);
        var client = new QmpClient(socket, socketPath, logger);
        try
        {
            var greeting = await client._greeting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            client.QemuVersion = ReadVersion(greeting);
            await client.ExecuteAsync("qmp_capabilities", cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs a command without arguments and returns its result.</summary>
    /// <exception cref="QmpException">QEMU refused.</exception>
    /// <exception cref="QmpConnectionException">The connection is gone; whether the command ran is unknown.</exception>
    public Task<JsonElement> ExecuteAsync(string command, CancellationToken cancellationToken) =>
        ExecuteAsync(command, null, cancellationToken);

    /// <summary>Runs a command with arguments and returns its result. A cancelled command may still run; its reply is dropped.</summary>
    /// <inheritdoc cref="ExecuteAsync(string, CancellationToken)"/>
    public Task<JsonElement> ExecuteAsync<TArguments>(
        string command, TArguments arguments, JsonTypeInfo<TArguments> typeInfo, CancellationToken cancellationToken) =>
        ExecuteAsync(command, writer => JsonSerializer.Serialize(writer, arguments, typeInfo), cancellationToken);

    /// <summary>Runs a command whose arguments object is written by <paramref name="writeArguments"/> (the whole object, braces included).</summary>
    /// <inheritdoc cref="ExecuteAsync(string, CancellationToken)"/>
    public async Task<JsonElement> ExecuteAsync(string command, Action<Utf8JsonWriter>? writeArguments, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(command);
        cancellationToken.ThrowIfCancellationRequested();
        var id = Interlocked.Increment(ref _lastId);
        var line = Encode(command, id, writeArguments);
        var pending = new PendingCommand(command);
        _pending[id] = pending;
        try
        {
            // Checked after the command was added: a connection that ends now either sees the command or is seen here.
            if (Volatile.Read(ref _ended) is { } ended) throw Ended(command, ended);
            await _sending.WaitAsync(cancellationToken).ConfigureAwait(false);
            // Half a command on the wire would spoil all later ones, so a line once begun is finished, whether its caller waits or not.
            var sent = SendAsync(line);
            QmpLog.CommandSent(_logger, command, id);
            await sent.WaitAsync(cancellationToken).ConfigureAwait(false);
            return await pending.Reply.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    /// <summary>
    /// All events from this call on, also those that arrive before the first one is read. The stream ends quietly when this client is disposed
    /// and with a <see cref="QmpConnectionException"/> when QEMU goes away. Enumerate it once; it buffers until it is enumerated to its end or disposed.
    /// </summary>
    public IAsyncEnumerable<QmpEvent> Events(CancellationToken cancellationToken = default) => _events.Subscribe(cancellationToken);

    /// <summary>
    /// The first matching event from this call on. Call it before sending the command that causes the event and await it after: then it cannot be missed.
    /// </summary>
    /// <param name="name">Event name, see <see cref="QmpEventNames"/>.</param>
    /// <param name="filter">Runs on the reading loop: keep it short, never block in it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="QmpConnectionException">The connection ended first.</exception>
    public Task<QmpEvent> WaitForEventAsync(string name, Func<QmpEvent, bool>? filter, CancellationToken cancellationToken) =>
        _events.WaitAsync(name, filter, cancellationToken);

    /// <summary>Closes the connection. QEMU runs on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            End(new ObjectDisposedException(nameof(QmpClient)));
            _socket.Dispose();
        }
        await _readLoop.ConfigureAwait(false);
    }

    private static ReadOnlyMemory<byte> Encode(string command, long id, Action<Utf8JsonWriter>? writeArguments)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("execute"u8, command);
            if (writeArguments is not null)
            {
                writer.WritePropertyName("arguments"u8);
                writeArguments(writer);
            }
            writer.WriteNumber("id"u8, id);
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            while (line.Length > 0) line = line[await _socket.SendAsync(line, SocketFlags.None, CancellationToken.None).ConfigureAwait(false)..];
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The reading side tells everyone, this command included, and knows best why: a reply may still be on its way to it.
            if (exception is SocketException) await _readLoop.ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReadLoopAsync(NetworkStream stream)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024));
        try
        {
            long scanned = 0;
            while (true)
            {
                var result = await reader.ReadAsync().ConfigureAwait(false);
                var buffer = result.Buffer;
                while (buffer.Slice(scanned).PositionOf((byte)'\n') is { } end)
                {
                    Dispatch(buffer.Slice(0, end));
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                    scanned = 0;
                }
                scanned = buffer.Length;
                if (result.IsCompleted) throw new QmpConnectionException(ClosedMessage(buffer.Length));
                if (scanned > MaximumLineLength)
                    throw new QmpConnectionException($"The peer at '{_socketPath}' sent a line of more than {MaximumLineLength} bytes, so it does not speak QMP");
                reader.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        catch (QmpConnectionException exception)
        {
            End(exception);
        }
        catch (JsonException exception)
        {
            End(new QmpConnectionException($"The peer at '{_socketPath}' sent a line that is not QMP: {exception.Message}", exception));
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            End(new QmpConnectionException($"The QMP connection at '{_socketPath}' broke: {exception.Message}", exception));
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
            _socket.Dispose();
        }
    }

    private void Dispatch(in ReadOnlySequence<byte> line)
    {
        if (IsBlank(line)) return;
        var message = QmpMessage.Parse(line);
        if (!_greeting.Task.IsCompleted)
        {
            if (message.Kind != QmpMessageKind.Greeting)
                throw new QmpConnectionException($"The peer at '{_socketPath}' did not greet as QMP does; is another kind of socket at this path?");
            _greeting.TrySetResult(message.Payload);
            return;
        }
        switch (message.Kind)
        {
            case QmpMessageKind.Event:
                QmpLog.EventReceived(_logger, message.EventName!, message.Timestamp);
                _events.Publish(new QmpEvent(message.EventName!, message.Timestamp, message.Payload));
                break;
            case QmpMessageKind.Return when message.Id is { } id && _pending.TryRemove(id, out var pending):
                pending.Reply.TrySetResult(message.Payload);
                break;
            case QmpMessageKind.Error when message.Id is { } id && _pending.TryRemove(id, out var pending):
                pending.Reply.TrySetException(ReadError(pending.Command, message.Payload));
                break;
            case QmpMessageKind.Error when message.Id is null:
                // QEMU leaves the id out only when it could not read the command: nobody knows which one will then never be answered.
                throw new QmpConnectionException($"QEMU at '{_socketPath}' could not read a command: {ReadError("?", message.Payload).Description}");
            default:
                QmpLog.ReplyWithoutCommand(_logger, message.Id);
                break;
        }
    }

    private void End(Exception reason)
    {
        if (Interlocked.CompareExchange(ref _ended, reason, null) is not null) return;
        QmpLog.ConnectionEnded(_logger, reason.Message);
        _greeting.TrySetException(reason);
        // Nobody may be waiting for the greeting any more; it must not surface as an unobserved exception.
        _ = _greeting.Task.Exception;
        foreach (var (id, _) in _pending)
        {
            if (_pending.TryRemove(id, out var pending)) pending.Reply.TrySetException(Ended(pending.Command, reason));
        }
        _events.Complete(reason as QmpConnectionException, reason);
    }

    private static Exception Ended(string command, Exception reason) => reason is QmpConnectionException
        ? new QmpConnectionException($"No answer to '{command}': {reason.Message}", reason)
        : new ObjectDisposedException(nameof(QmpClient));

    private string ClosedMessage(long rest) => !_greeting.Task.IsCompleted
        ? $"QEMU closed the QMP connection at '{_socketPath}' before greeting; see its error output"
        : rest > 0
            ? $"QEMU closed the QMP connection at '{_socketPath}' in the middle of a line; it has probably crashed"
            : $"QEMU closed the QMP connection at '{_socketPath}'; it has exited";

    private static bool IsBlank(in ReadOnlySequence<byte> line)
    {
        foreach (var part in line)
        {
            if (part.Span.ContainsAnyExcept(" \t\r"u8)) return false;
        }
        return true;
    }

    private static QmpException ReadError(string command, JsonElement error)
    {
        var isObject = error.ValueKind == JsonValueKind.Object;
        return new(
            command,
            isObject && error.TryGetProperty("class"u8, out var name) && name.ValueKind == JsonValueKind.String ? name.GetString()! : "Unknown",
            isObject && error.TryGetProperty("desc"u8, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "no description");
    }

    private static Version ReadVersion(JsonElement greeting)
    {
        if (greeting.ValueKind == JsonValueKind.Object
            && greeting.TryGetProperty("version"u8, out var version) && version.ValueKind == JsonValueKind.Object
            && version.TryGetProperty("qemu"u8, out var qemu) && qemu.ValueKind == JsonValueKind.Object)
            return new(Part(qemu, "major"), Part(qemu, "minor"), Part(qemu, "micro"));
        return new();

        static int Part(JsonElement qemu, string name) =>
            qemu.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0
                ? number : 0;
    }

    private sealed class PendingCommand(string command)
    {
        public string Command { get; } = command;

        public TaskCompletionSource<JsonElement> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
