using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Nbd;

/// <summary>One client: handshake, then requests until it leaves, the server stops, or what arrives is no NBD.</summary>
internal sealed class ServerConnection : IDisposable
{
    private readonly NbdServer _server;
    private readonly NbdTransport _transport;
    private readonly OutboundQueue _output;
    private readonly InboundBuffer _input;
    private readonly InFlightGate _gate;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _freeLock = new();
    private OutboundItem? _free;
    private ExportRegistration? _registration;
    private bool _allocationContext;

    public ServerConnection(NbdServer server, NbdTransport transport)
    {
        _server = server;
        _transport = transport;
        _output = new OutboundQueue(transport);
        _input = new InboundBuffer(transport, Kick);
        _gate = new InFlightGate(server.Options.MaxRequestsInFlight, server.Options.MaxBytesInFlight);
        Stopping = _stopping.Token;
    }

    public bool StructuredReplies { get; private set; }

    /// <summary>The export that was opened, once it is.</summary>
    public ExportRegistration? Registration => Volatile.Read(ref _registration);

    /// <summary>Cancelled when the connection was cut.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Serves until the connection has ended and nothing of it is in work any more. Does not fail.</summary>
    public async Task RunAsync()
    {
        var options = _server.Options;
        try
        {
            var handshake = new ServerHandshake(_server, _transport, _input);
            using (var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.TimeProvider))
                Volatile.Write(ref _registration, await handshake.NegotiateAsync(timeout.Token).ConfigureAwait(false));
            if (_registration is not null)
            {
                StructuredReplies = handshake.StructuredReplies;
                _allocationContext = handshake.AllocationContext;
                ServerLog.Opened(options.Logger, _registration.Export.Name);
                await ServeAsync(_registration).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // A peer can end a connection in any way and at any byte; for the server they are all the end of this connection and of nothing else.
            ServerLog.Broken(options.Logger, exception.Message);
        }

        await EndAsync().ConfigureAwait(false);
    }

    /// <summary>Cuts the connection.</summary>
    public void Abort()
    {
        _transport.Abort();
        try
        {
            _stopping.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>Logs what an export threw and says what the client is told.</summary>
    public NbdError Failed(NbdCommand command, long offset, long length, Exception exception)
    {
        if (exception is OperationCanceledException && Stopping.IsCancellationRequested)
            return NbdError.ShuttingDown;
        ServerLog.ExportFailed(_server.Options.Logger, _registration?.Export.Name ?? "", command, offset, length, exception);
        return NbdError.InputOutput;
    }

    public void Kick() => _output.Kick();

    public void Reply(ServerRequest request)
    {
        if (_output.Add(request))
            _output.Kick();
    }

    public void Finish(ServerRequest request, long cost)
    {
        lock (_freeLock)
        {
            request.Next = _free;
            _free = request;
        }

        _gate.Leave(cost);
    }

    private async Task ServeAsync(ExportRegistration registration)
    {
        while (await _input.FillAsync(NbdProtocol.RequestHeaderSize).ConfigureAwait(false))
        {
            if (!TryParse(out var command, out var flags, out var cookie, out var offset, out var length))
            {
                ServerLog.Broken(_server.Options.Logger, "the client sent something that is no NBD request");
                _transport.Abort();
                return;
            }

            if (command == NbdCommand.Disconnect)
                return;

            var error = Check(registration.Export, command, flags, offset, length);
            var cost = error == NbdError.None && command is NbdCommand.Read or NbdCommand.Write ? length : 0L;
            if (!_gate.TryEnter(cost))
            {
                Kick();
                await _gate.EnterAsync(cost).ConfigureAwait(false);
            }

            var request = Rent();
            request.Begin(command, flags, cookie, (long)offset, length, cost);
            if (error == NbdError.None && !registration.TryEnter())
                error = NbdError.ShuttingDown;
            else if (error == NbdError.None)
                request.Enter(registration);

            if (command == NbdCommand.Write && length > 0)
                await ReceiveWriteAsync(registration.Export, request, error).ConfigureAwait(false);
            else if (error == NbdError.None)
                request.Execute();
            else
                request.Complete(error);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveWriteAsync(INbdExport export, ServerRequest request, NbdError error)
    {
        try
        {
            if (error != NbdError.None)
            {
                await _input.DiscardAsync(request.Length).ConfigureAwait(false);
                request.Complete(error);
            }
            else if (TryGetTarget(export, request, out var target))
            {
                await _input.ReadExactlyAsync(target).ConfigureAwait(false);
                if (TryReportWritten(export, request))
                    request.PayloadInPlace();
                else
                    request.Complete(NbdError.InputOutput);
            }
            else
            {
                await _input.ReadExactlyAsync(request.RentBuffer()).ConfigureAwait(false);
                request.Execute();
            }
        }
        catch
        {
            // The payload did not arrive whole: nothing is executed and nobody waits for a reply.
            request.Sent(delivered: false);
            throw;
        }
    }

    private bool TryGetTarget(INbdExport export, ServerRequest request, out Memory<byte> target)
    {
        try
        {
            return export.TryGetWriteTarget(request.Offset, (int)request.Length, out target) && target.Length == request.Length;
        }
        catch (Exception exception)
        {
            // The ordinary way, through WriteAsync, is still there and reports its own error.
            Failed(request.Command, request.Offset, request.Length, exception);
            target = default;
            return false;
        }
    }

    private bool TryReportWritten(INbdExport export, ServerRequest request)
    {
        try
        {
            export.WriteCompleted(request.Offset, (int)request.Length);
            return true;
        }
        catch (Exception exception)
        {
            Failed(request.Command, request.Offset, request.Length, exception);
            return false;
        }
    }

    private bool TryParse(out NbdCommand command, out NbdCommandFlags flags, out ulong cookie, out ulong offset, out uint length)
    {
        var header = _input.Span;
        flags = (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        command = (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(header[6..]);
        cookie = BinaryPrimitives.ReadUInt64BigEndian(header[8..]);
        offset = BinaryPrimitives.ReadUInt64BigEndian(header[16..]);
        length = BinaryPrimitives.ReadUInt32BigEndian(header[24..]);
        var isRequest = BinaryPrimitives.ReadUInt32BigEndian(header) == NbdProtocol.RequestMagic;
        _input.Skip(NbdProtocol.RequestHeaderSize);
        return isRequest;
    }

    /// <summary>What proto.md wants refused before the export sees it ("Request types", "Error values").</summary>
    private NbdError Check(INbdExport export, NbdCommand command, NbdCommandFlags flags, ulong offset, uint length)
    {
        // FUA is valid on every command; it means something only for those that write.
        var allowed = NbdCommandFlags.ForceUnitAccess | command switch
        {
            NbdCommand.Read when StructuredReplies => NbdCommandFlags.DoNotFragment,
            NbdCommand.WriteZeroes => NbdCommandFlags.NoHole | NbdCommandFlags.FastZero,
            NbdCommand.BlockStatus => NbdCommandFlags.RequestOne,
            _ => NbdCommandFlags.None,
        };
        if (command > NbdCommand.BlockStatus || (flags & ~allowed) != 0)
            return NbdError.Invalid;
        if (command == NbdCommand.Flush)
            return offset == 0 && length == 0 ? NbdError.None : NbdError.Invalid;

        var writes = command is NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim;
        if (writes && export.IsReadOnly)
            return NbdError.NotPermitted;
        var size = (ulong)export.Size;
        if (offset > size || length > size - offset)
            return command is NbdCommand.Write or NbdCommand.WriteZeroes ? NbdError.NoSpace : NbdError.Invalid;
        if (command is NbdCommand.Read or NbdCommand.Write && length > NbdProtocol.MaximumBlockSize)
            return (flags & NbdCommandFlags.DoNotFragment) != 0 ? NbdError.Overflow : NbdError.Invalid;
        if (command == NbdCommand.BlockStatus && (!_allocationContext || length == 0))
            return NbdError.Invalid;
        return NbdError.None;
    }

    private ServerRequest Rent()
    {
        lock (_freeLock)
        {
            if (_free is ServerRequest request)
            {
                _free = request.Next;
                request.Next = null;
                return request;
            }
        }

        return new ServerRequest(this);
    }

    private async Task EndAsync()
    {
        // Requests that came before the goodbye are still carried out and answered, but a client that does not read its replies is not waited for.
        _output.Kick();
        var idle = _gate.WhenIdleAsync();
        if (!idle.IsCompleted)
        {
            try
            {
                await idle.WaitAsync(_server.Options.DrainTimeout, _server.Options.TimeProvider, Stopping).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
            {
                Abort();
            }

            await idle.ConfigureAwait(false);
        }

        _output.Complete();
        await _output.Ended.ConfigureAwait(false);
        _transport.Abort();
    }
}
