using System.Buffers.Binary;
using System.Threading.Tasks.Sources;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// One request of a client; belongs to one slot of its connection and is reused. It is complete when its reply has arrived and its message has left, because only
/// then nobody uses the caller's memory any more.
/// </summary>
internal sealed class ClientRequest : OutboundItem, IValueTaskSource, IThreadPoolWorkItem
{
    private const int SentBit = 1;
    private const int RepliedBit = 2;

    private readonly ClientConnection _connection;
    private readonly uint _slot;
    private ManualResetValueTaskSourceCore<bool> _core;
    private Exception? _failure;
    private uint _generation;
    private int _state;

    public ClientRequest(ClientConnection connection, int slot)
    {
        _connection = connection;
        _slot = (uint)slot;
    }

    public bool IsActive { get; private set; }

    public bool HasReply => (Volatile.Read(ref _state) & RepliedBit) != 0;

    public ulong Cookie { get; private set; }

    public NbdCommand Command { get; private set; }

    public long Offset { get; private set; }

    public long Length { get; private set; }

    /// <summary>Where a read goes.</summary>
    public Memory<byte> Destination { get; private set; }

    /// <summary>Where extents go.</summary>
    public List<NbdExtent>? Extents { get; private set; }

    /// <summary>Bytes of a structured read that have arrived.</summary>
    public long Covered { get; set; }

    public NbdError Error { get; set; }

    public string? ErrorText { get; set; }

    public short Version => _core.Version;

    /// <summary>Slot number that a cookie carries.</summary>
    public static uint SlotOf(ulong cookie) => (uint)cookie;

    public void Begin(NbdCommand command, NbdCommandFlags flags, long offset, long length, Memory<byte> destination, ReadOnlyMemory<byte> source, List<NbdExtent>? extents)
    {
        _core.Reset();
        _state = 0;
        _failure = null;
        IsActive = true;
        Command = command;
        Offset = offset;
        Length = length;
        Destination = destination;
        Payload = source;
        Extents = extents;
        Covered = 0;
        Error = NbdError.None;
        ErrorText = null;
        Cookie = ((ulong)++_generation << 32) | _slot;
        HeaderLength = WriteHeader(Header, command, flags, Cookie, offset, length);
    }

    public static int WriteHeader(Span<byte> header, NbdCommand command, NbdCommandFlags flags, ulong cookie, long offset, long length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)flags);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)command);
        BinaryPrimitives.WriteUInt64BigEndian(header[8..], cookie);
        BinaryPrimitives.WriteUInt64BigEndian(header[16..], (ulong)offset);
        BinaryPrimitives.WriteUInt32BigEndian(header[24..], (uint)length);
        return NbdProtocol.RequestHeaderSize;
    }

    /// <inheritdoc/>
    public override void Sent(bool delivered) => Mark(SentBit);

    /// <summary>The final reply is here, or <paramref name="failure"/> says why it never comes.</summary>
    public void Replied(Exception? failure)
    {
        _failure = failure ?? (Error == NbdError.None ? null : ToException());
        Mark(RepliedBit);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is null)
            _core.SetResult(true);
        else
            _core.SetException(_failure);
    }

    public void GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            Destination = default;
            Payload = default;
            Extents = null;
            _connection.Return(this);
        }
    }

    public void Release() => IsActive = false;

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Mark(int bit)
    {
        // The caller goes on in a thread of its own, neither in the receiver's nor in another sender's; the request itself is the work item, so that this costs no allocation.
        if ((Interlocked.Or(ref _state, bit) | bit) == (SentBit | RepliedBit))
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private NbdClientException ToException()
    {
        var detail = string.IsNullOrEmpty(ErrorText) ? "" : $": {ErrorText}";
        return new NbdClientException(Error, $"The NBD server refused {Command} of {Length} bytes at {Offset} of export '{_connection.ExportName}' with {Error.ToSymbol()}{detail}.");
    }
}
