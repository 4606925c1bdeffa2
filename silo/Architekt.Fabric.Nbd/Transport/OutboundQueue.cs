namespace Architekt.Fabric.Nbd;

/// <summary>
/// The sending side of a connection. Whoever kicks an idle queue sends on its own thread as far as the socket takes it; what others add meanwhile goes out
/// together in the next call.
/// </summary>
internal sealed class OutboundQueue
{
    private const int MaxBatchItems = 32;
    private const long MaxBatchBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly AsyncSignal _wake = new(resumeOnSetter: true);
    private readonly OutboundItem[] _batch = new OutboundItem[MaxBatchItems];
    private readonly NbdTransport _transport;
    private OutboundItem? _head;
    private OutboundItem? _tail;
    private long _queuedBytes;
    private long _sentItems;
    private bool _parked;
    private bool _completing;
    private bool _failed;

    public OutboundQueue(NbdTransport transport)
    {
        _transport = transport;
        Ended = RunAsync();
    }

    /// <summary>Ends after <see cref="Complete"/> or a failed send, when every item got its <see cref="OutboundItem.Sent"/>. Does not fail.</summary>
    public Task Ended { get; }

    /// <summary>Items sent so far.</summary>
    public long SentItems => Volatile.Read(ref _sentItems);

    /// <summary>Queues an item without sending it yet. True when so much is waiting that the caller should kick now.</summary>
    public bool Add(OutboundItem item)
    {
        lock (_lock)
        {
            if (!_failed && !_completing)
            {
                item.Next = null;
                if (_tail is null)
                    _head = item;
                else
                    _tail.Next = item;
                _tail = item;
                _queuedBytes += item.TotalLength;
                return _queuedBytes >= MaxBatchBytes / 4;
            }
        }

        item.Sent(delivered: false);
        return false;
    }

    /// <summary>Sends what is queued, unless somebody is at it already.</summary>
    public void Kick()
    {
        lock (_lock)
        {
            if (!_parked || _head is null)
                return;
            _parked = false;
        }

        _wake.Set();
    }

    /// <summary>Sends what is queued and ends; later items are not delivered.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _completing = true;
            if (!_parked)
                return;
            _parked = false;
        }

        _wake.Set();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var count = Take(out var ended);
            if (ended)
                return;
            if (count == 0)
            {
                await _wake.WaitAsync().ConfigureAwait(false);
                continue;
            }

            var delivered = !_failed;
            try
            {
                if (delivered)
                    await _transport.SendAsync(_batch, count).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Whatever broke the stream, the receiving side reports it: it ends with the transport.
                delivered = false;
                _transport.Abort();
                lock (_lock)
                    _failed = true;
            }

            Volatile.Write(ref _sentItems, _sentItems + count);
            for (var i = 0; i < count; i++)
            {
                var item = _batch[i];
                _batch[i] = null!;
                item.Sent(delivered);
            }
        }
    }

    private int Take(out bool ended)
    {
        lock (_lock)
        {
            var count = 0;
            long bytes = 0;
            while (_head is { } item && count < MaxBatchItems && bytes < MaxBatchBytes)
            {
                _head = item.Next;
                item.Next = null;
                bytes += item.TotalLength;
                _batch[count++] = item;
            }

            if (_head is null)
                _tail = null;
            _queuedBytes -= bytes;
            ended = count == 0 && (_completing || _failed);
            if (count == 0 && !ended)
            {
                _wake.Reset();
                _parked = true;
            }

            return count;
        }
    }
}
