using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Architekt.Fabric.Qemu;

/// <summary>Hands every event to all streams and to the waiters it matches, in the order QEMU sent them.</summary>
internal sealed class QmpEventHub
{
    private readonly Lock _gate = new();
    private readonly List<Channel<QmpEvent>> _streams = [];
    private readonly List<Waiter> _waiters = [];
    private Exception? _end;
    private bool _ended;

    public void Publish(QmpEvent value)
    {
        lock (_gate)
        {
            foreach (var stream in _streams) stream.Writer.TryWrite(value);
            for (var i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_waiters[i].Offer(value)) _waiters.RemoveAt(i);
            }
        }
    }

    /// <summary>Ends all streams (with <paramref name="streamEnd"/>, or quietly if it is null) and fails all waiters.</summary>
    public void Complete(Exception? streamEnd, Exception waiterEnd)
    {
        lock (_gate)
        {
            if (_ended) return;
            (_ended, _end) = (true, waiterEnd);
            foreach (var stream in _streams) stream.Writer.TryComplete(streamEnd);
            foreach (var waiter in _waiters) waiter.Fail(waiterEnd);
            _waiters.Clear();
        }
    }

    public IAsyncEnumerable<QmpEvent> Subscribe(CancellationToken cancellationToken)
    {
        var stream = Channel.CreateUnbounded<QmpEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            if (_ended) stream.Writer.TryComplete(_end);
            else _streams.Add(stream);
        }
        return ReadAsync(stream, cancellationToken);
    }

    public Task<QmpEvent> WaitAsync(string name, Func<QmpEvent, bool>? filter, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<QmpEvent>(cancellationToken);
        var waiter = new Waiter(name, filter);
        lock (_gate)
        {
            if (_ended) return Task.FromException<QmpEvent>(_end!);
            _waiters.Add(waiter);
        }
        if (cancellationToken.CanBeCanceled) waiter.CancelWith(Remove, cancellationToken);
        return waiter.Task;
    }

    private void Remove(Waiter waiter)
    {
        lock (_gate) _waiters.Remove(waiter);
    }

    private async IAsyncEnumerable<QmpEvent> ReadAsync(
        Channel<QmpEvent> stream, CancellationToken subscription, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(subscription, cancellationToken);
        try
        {
            await foreach (var value in stream.Reader.ReadAllAsync(both.Token).ConfigureAwait(false)) yield return value;
        }
        finally
        {
            lock (_gate) _streams.Remove(stream);
        }
    }

    private sealed class Waiter(string name, Func<QmpEvent, bool>? filter)
    {
        private readonly TaskCompletionSource<QmpEvent> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private CancellationTokenRegistration _registration;

        public Task<QmpEvent> Task => _result.Task;

        public void CancelWith(Action<Waiter> remove, CancellationToken cancellationToken)
        {
            _registration = cancellationToken.UnsafeRegister(_ =>
            {
                remove(this);
                _result.TrySetCanceled(cancellationToken);
            }, null);
            // The event may have come before there was a registration to give back.
            if (_result.Task.IsCompleted) _registration.Unregister();
        }

        /// <summary>True when this waiter is done with, because it matched or because its filter threw.</summary>
        public bool Offer(QmpEvent value)
        {
            if (value.Name != name) return false;
            try
            {
                if (filter is not null && !filter(value)) return false;
                _result.TrySetResult(value);
            }
#pragma warning disable CA1031 // Whatever the caller's filter throws belongs to the caller, not to the connection.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _result.TrySetException(exception);
            }
            _registration.Unregister();
            return true;
        }

        public void Fail(Exception exception)
        {
            _result.TrySetException(exception);
            _registration.Unregister();
        }
    }
}
