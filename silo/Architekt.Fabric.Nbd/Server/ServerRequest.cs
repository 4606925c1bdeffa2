using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Nbd;

/// <summary>One request of a connection from its header to its reply sent. Reused; runs without allocating unless the command is rare.</summary>
internal sealed class ServerRequest : OutboundItem
{
    /// <summary>Descriptors in one block status reply: 128 KiB.</summary>
    private const int MaxExtents = 16 << 10;

    private readonly ServerConnection _connection;
    private readonly Action _resume;
    private ValueTaskAwaiter<NbdError> _running;
    private ExportRegistration? _entered;
    private ExtentCollector? _extents;
    private byte[]? _buffer;
    private bool _flushing;
    private long _cost;

    public ServerRequest(ServerConnection connection)
    {
        _connection = connection;
        _resume = Resume;
    }

    public NbdCommand Command { get; private set; }

    public NbdCommandFlags Flags { get; private set; }

    public ulong Cookie { get; private set; }

    public long Offset { get; private set; }

    public uint Length { get; private set; }

    private INbdExport Export => _entered!.Export;

    /// <summary>Memory of <see cref="Length"/> bytes that the request owns until its reply was sent.</summary>
    public Memory<byte> RentBuffer()
    {
        _buffer = ArrayPool<byte>.Shared.Rent((int)Length);
        return _buffer.AsMemory(0, (int)Length);
    }

    public void Begin(NbdCommand command, NbdCommandFlags flags, ulong cookie, long offset, uint length, long cost)
    {
        Command = command;
        Flags = flags;
        Cookie = cookie;
        Offset = offset;
        Length = length;
        _cost = cost;
        _flushing = false;
    }

    /// <summary>Takes over the lease on the export; given back when the reply was sent.</summary>
    public void Enter(ExportRegistration registration) => _entered = registration;

    /// <summary>Executes the command; a write's payload, unless it went straight to its target, is in the rented buffer. The reply is queued, now or later.</summary>
    public void Execute()
    {
        if (Length == 0 && Command is not NbdCommand.Flush)
        {
            Continue(ValueTask.FromResult(NbdError.None));
            return;
        }

        ValueTask<NbdError> task;
        try
        {
            task = Start(_connection.Stopping);
        }
        catch (Exception exception)
        {
            Complete(_connection.Failed(Command, Offset, Length, exception));
            return;
        }

        Continue(task);
    }

    /// <summary>Continues a write whose payload is in place already.</summary>
    public void PayloadInPlace() => Continue(ValueTask.FromResult(NbdError.None));

    /// <summary>Queues the reply.</summary>
    public void Complete(NbdError error)
    {
        if (error == NbdError.None && Command == NbdCommand.BlockStatus && _extents is not { Count: > 0, IsBroken: false })
            error = _connection.Failed(Command, Offset, Length, new InvalidOperationException("The export did not return consecutive extents."));
        if (error != NbdError.None)
            Payload = default;
        if (_connection.StructuredReplies && (Command is NbdCommand.Read or NbdCommand.BlockStatus || error != NbdError.None))
            WriteStructuredHeader(error);
        else
            WriteSimpleHeader(error);
        _connection.Reply(this);
    }

    public override void Sent(bool delivered)
    {
        Payload = default;
        _extents = null;
        if (_buffer is { } buffer)
        {
            _buffer = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var entered = _entered;
        _entered = null;
        var cost = _cost;
        entered?.Exit();
        _connection.Finish(this, cost);
    }

    private ValueTask<NbdError> Start(CancellationToken cancellationToken)
    {
        switch (Command)
        {
            case NbdCommand.Read:
                if (Export.TryGetReadSource(Offset, (int)Length, out var source) && source.Length == Length)
                {
                    Payload = source;
                    return ValueTask.FromResult(NbdError.None);
                }

                var destination = RentBuffer();
                Payload = destination;
                return Export.ReadAsync(Offset, destination, cancellationToken);
            case NbdCommand.Write:
                return Export.WriteAsync(Offset, _buffer.AsMemory(0, (int)Length), cancellationToken);
            case NbdCommand.Flush:
                return Export.FlushAsync(cancellationToken);
            case NbdCommand.Trim:
                return Export.TrimAsync(Offset, Length, cancellationToken);
            case NbdCommand.Cache:
                return Export.CacheAsync(Offset, Length, cancellationToken);
            case NbdCommand.WriteZeroes:
                var mayPunchHole = (Flags & NbdCommandFlags.NoHole) == 0;
                if ((Flags & NbdCommandFlags.FastZero) != 0 && !(mayPunchHole && Export.CanFastZero))
                    return ValueTask.FromResult(NbdError.NotSupported);
                return Export.WriteZeroesAsync(Offset, Length, mayPunchHole, cancellationToken);
            default:
                _extents = new ExtentCollector(Offset, Length, (Flags & NbdCommandFlags.RequestOne) != 0 ? 1 : MaxExtents);
                return Export.GetExtentsAsync(Offset, Length, _extents, cancellationToken);
        }
    }

    private void Continue(ValueTask<NbdError> task)
    {
        var awaiter = task.GetAwaiter();
        if (awaiter.IsCompleted)
        {
            Step(awaiter);
            return;
        }

        _running = awaiter;
        awaiter.UnsafeOnCompleted(_resume);
    }

    private void Resume()
    {
        var awaiter = _running;
        _running = default;
        var connection = _connection;
        Step(awaiter);

        // Nobody else may be awake to send the reply.
        connection.Kick();
    }

    private void Step(ValueTaskAwaiter<NbdError> awaiter)
    {
        NbdError error;
        var flush = default(ValueTask<NbdError>);
        var flushing = false;
        try
        {
            error = awaiter.GetResult();
            if (error == NbdError.None && !_flushing && (Flags & NbdCommandFlags.ForceUnitAccess) != 0
                && Command is NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim)
            {
                _flushing = flushing = true;
                flush = Export.FlushAsync(_connection.Stopping);
            }
        }
        catch (Exception exception)
        {
            error = _connection.Failed(Command, Offset, Length, exception);
            flushing = false;
        }

        if (flushing)
            Continue(flush);
        else
            Complete(error);
    }

    private void WriteSimpleHeader(NbdError error)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Header, NbdProtocol.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(Header.AsSpan(4), (uint)error);
        BinaryPrimitives.WriteUInt64BigEndian(Header.AsSpan(8), Cookie);
        HeaderLength = NbdProtocol.SimpleReplyHeaderSize;
    }

    /// <summary>One chunk says it all: everything that can fail has happened before it is sent.</summary>
    private void WriteStructuredHeader(NbdError error)
    {
        var body = Header.AsSpan(NbdProtocol.StructuredReplyHeaderSize);
        var bodyLength = 0;
        var type = NbdProtocol.ChunkNone;
        if (error != NbdError.None)
        {
            type = NbdProtocol.ChunkError;
            var text = error.ToWireText();
            BinaryPrimitives.WriteUInt32BigEndian(body, (uint)error);
            BinaryPrimitives.WriteUInt16BigEndian(body[4..], (ushort)text.Length);
            text.CopyTo(body[6..]);
            bodyLength = 6 + text.Length;
        }
        else if (_extents is { } extents)
        {
            type = NbdProtocol.ChunkBlockStatus;
            BinaryPrimitives.WriteUInt32BigEndian(body, NbdProtocol.AllocationContextId);
            bodyLength = 4;
            Payload = extents.ToDescriptors();
        }
        else if (!Payload.IsEmpty)
        {
            type = NbdProtocol.ChunkOffsetData;
            BinaryPrimitives.WriteUInt64BigEndian(body, (ulong)Offset);
            bodyLength = 8;
        }

        BinaryPrimitives.WriteUInt32BigEndian(Header, NbdProtocol.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(Header.AsSpan(4), NbdProtocol.ChunkDone);
        BinaryPrimitives.WriteUInt16BigEndian(Header.AsSpan(6), type);
        BinaryPrimitives.WriteUInt64BigEndian(Header.AsSpan(8), Cookie);
        BinaryPrimitives.WriteUInt32BigEndian(Header.AsSpan(16), (uint)(bodyLength + Payload.Length));
        HeaderLength = NbdProtocol.StructuredReplyHeaderSize + bodyLength;
    }
}
