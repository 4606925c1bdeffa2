namespace Architekt.Fabric.Nbd;

/// <summary>Requests and replies of one opened connection.</summary>
internal sealed class ClientConnection : IAsyncDisposable
{
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(2);

    private readonly NbdTransport _transport;
    private readonly OutboundQueue _output;
    private volatile bool _isCorked;
    private readonly ReplyReader _replies;
    private readonly SemaphoreSlim _window;
    private readonly TimeProvider _time;
    private readonly TimeSpan _stallTimeout;
    private readonly ITimer? _watchdog;
    private readonly Lock _lock = new();
    private readonly ClientRequest?[] _slots;
    private readonly Stack<ClientRequest> _free = new();
    private readonly Task _receiving;
    private NbdConnectionException? _failure;
    private string? _abortReason;
    private int _created;
    private int _inFlight;
    private bool _closing;
    private long _seenProgress;
    private long _progressAt;

    public ClientConnection(NbdTransport transport, InboundBuffer input, ClientHandshake handshake, string exportName, NbdClientOptions options)
    {
        ExportName = exportName;
        _transport = transport;
        _output = new OutboundQueue(transport);
        _window = new SemaphoreSlim(options.MaxRequestsInFlight, options.MaxRequestsInFlight);
        _slots = new ClientRequest?[options.MaxRequestsInFlight];
        _time = options.TimeProvider;
        _stallTimeout = options.StallTimeout;
        _replies = new ReplyReader(input, Find, handshake.StructuredReplies, handshake.AllocationContextId);
        _progressAt = _time.GetTimestamp();
        _receiving = ReceiveAsync();
        if (_stallTimeout != Timeout.InfiniteTimeSpan)
            _watchdog = _time.CreateTimer(static state => ((ClientConnection)state!).Watch(), this, _stallTimeout / 4, _stallTimeout / 4);
    }

    public string ExportName { get; }

    public int InFlight => Volatile.Read(ref _inFlight);

    public bool IsOpen => Volatile.Read(ref _failure) is null && !Volatile.Read(ref _closing);

    public ValueTask SubmitAsync(
        NbdCommand command,
        NbdCommandFlags flags,
        long offset,
        long length,
        Memory<byte> destination,
        ReadOnlyMemory<byte> source,
        List<NbdExtent>? extents,
        CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        return _window.Wait(0, CancellationToken.None)
            ? Start(command, flags, offset, length, destination, source, extents)
            : SubmitLaterAsync(command, flags, offset, length, destination, source, extents, cancellationToken);
    }

    /// <summary>Takes a request back whose result was fetched.</summary>
    public void Return(ClientRequest request)
    {
        lock (_lock)
        {
            request.Release();
            _free.Push(request);
            _inFlight--;
        }

        _window.Release();
    }

    public void Cork() => _isCorked = true;

    public void Uncork()
    {
        _isCorked = false;
        _output.Kick();
    }

    /// <summary>Says goodbye; what is pending gets its reply if the server sends it soon.</summary>
    public async ValueTask DisposeAsync()
    {
        bool first;
        lock (_lock)
        {
            first = !_closing;
            _closing = true;
        }

        if (first)
        {
            _output.Add(new Goodbye());
            _output.Kick();
            try
            {
                await _receiving.WaitAsync(_farewell, _time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Abort("it was closed while the server did not answer");
            }

            if (_watchdog is not null)
                await _watchdog.DisposeAsync().ConfigureAwait(false);
        }

        await _receiving.ConfigureAwait(false);
    }

    private async ValueTask SubmitLaterAsync(
        NbdCommand command,
        NbdCommandFlags flags,
        long offset,
        long length,
        Memory<byte> destination,
        ReadOnlyMemory<byte> source,
        List<NbdExtent>? extents,
        CancellationToken cancellationToken)
    {
        // What is waited for may be what is kept.
        _output.Kick();
        await _window.WaitAsync(cancellationToken).ConfigureAwait(false);
        await Start(command, flags, offset, length, destination, source, extents).ConfigureAwait(false);
    }

    private ValueTask Start(
        NbdCommand command,
        NbdCommandFlags flags,
        long offset,
        long length,
        Memory<byte> destination,
        ReadOnlyMemory<byte> source,
        List<NbdExtent>? extents)
    {
        ClientRequest request;
        lock (_lock)
        {
            if (_closing || _failure is not null)
            {
                _window.Release();
                return ValueTask.FromException(_closing || _failure is null
                    ? new ObjectDisposedException(nameof(NbdClient), $"The client of NBD export '{ExportName}' was closed.")
                    : new NbdConnectionException(_failure.Message, _failure.InnerException));
            }

            if (!_free.TryPop(out request!))
            {
                request = new ClientRequest(this, _created);
                _slots[_created++] = request;
            }

            _inFlight++;
            request.Begin(command, flags, offset, length, destination, source, extents);
        }

        var task = new ValueTask(request, request.Version);
        if (_output.Add(request) || !_isCorked)
            _output.Kick();
        return task;
    }

    /// <summary>The request that a reply is for; null when there is none.</summary>
    private ClientRequest? Find(ulong cookie)
    {
        var slot = ClientRequest.SlotOf(cookie);
        if (slot >= (uint)_slots.Length)
            return null;
        lock (_lock)
        {
            return _slots[slot] is { IsActive: true } request && request.Cookie == cookie && !request.HasReply ? request : null;
        }
    }

    private async Task ReceiveAsync()
    {
        NbdConnectionException failure;
        try
        {
            await _replies.RunAsync().ConfigureAwait(false);
            failure = new NbdConnectionException($"The connection to NBD export '{ExportName}' is lost: the server closed it.");
        }
        catch (Exception exception)
        {
            failure = new NbdConnectionException($"The connection to NBD export '{ExportName}' is lost: {Volatile.Read(ref _abortReason) ?? exception.Message}", exception);
        }

        // Whoever waits gets the failure only after sender and receiver have let go of all memory.
        Volatile.Write(ref _failure, failure);
        _transport.Abort();
        _output.Complete();
        await _output.Ended.ConfigureAwait(false);
        ClientRequest[] pending;
        lock (_lock)
            pending = [.. _slots.OfType<ClientRequest>().Where(request => request.IsActive && !request.HasReply)];
        foreach (var request in pending)
            request.Replied(new NbdConnectionException(failure.Message, failure.InnerException));
    }

    private void Abort(string reason)
    {
        Interlocked.CompareExchange(ref _abortReason, reason, null);
        _transport.Abort();
    }

    private void Watch()
    {
        var progress = _replies.Received + _output.SentItems;
        var now = _time.GetTimestamp();
        if (InFlight == 0 || progress != _seenProgress)
        {
            _seenProgress = progress;
            _progressAt = now;
        }
        else if (_time.GetElapsedTime(_progressAt, now) >= _stallTimeout)
        {
            Abort($"the server has not answered for {_stallTimeout.TotalSeconds:0.#} s");
        }
    }

    private sealed class Goodbye : OutboundItem
    {
        public Goodbye() => HeaderLength = ClientRequest.WriteHeader(Header, NbdCommand.Disconnect, NbdCommandFlags.None, 0, 0, 0);

        public override void Sent(bool delivered)
        {
        }
    }
}
