using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>Reads replies and hands them to their requests (proto.md, "Simple reply message" and "Structured reply chunk message").</summary>
internal sealed class ReplyReader(InboundBuffer input, Func<ulong, ClientRequest?> find, bool structured, uint? contextId)
{
    private const int DescriptorSize = 8;

    /// <summary>Longest list of extents: what a million of them take, which is the most that known servers send.</summary>
    private const uint MaxDescriptors = 8 << 20;

    /// <summary>Longest error chunk: its text is at most a protocol string.</summary>
    private const uint MaxError = 6 + 8 + NbdProtocol.MaxString;

    public long Received => input.Received;

    /// <summary>Ends when the server closes the connection between two replies; throws when it breaks the protocol.</summary>
    public async Task RunAsync()
    {
        while (await input.FillAsync(NbdProtocol.SimpleReplyHeaderSize).ConfigureAwait(false))
        {
            var magic = BinaryPrimitives.ReadUInt32BigEndian(input.Span);
            var cookie = BinaryPrimitives.ReadUInt64BigEndian(input.Span[8..]);
            var request = magic is NbdProtocol.SimpleReplyMagic or NbdProtocol.StructuredReplyMagic
                ? find(cookie) ?? throw Broken("it answered a request that nobody made")
                : throw Broken("it sent something that is no reply");
            if (magic == NbdProtocol.SimpleReplyMagic)
                await SimpleAsync(request).ConfigureAwait(false);
            else
                await ChunkAsync(request).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SimpleAsync(ClientRequest request)
    {
        var error = BinaryPrimitives.ReadUInt32BigEndian(input.Span[4..]);
        input.Skip(NbdProtocol.SimpleReplyHeaderSize);
        if (error != 0)
        {
            request.Error = NbdErrorText.FromWire(error);
        }
        else if (request.Command == NbdCommand.BlockStatus || (request.Command == NbdCommand.Read && structured))
        {
            throw Broken($"it gave a simple reply to {request.Command}");
        }
        else if (request.Command == NbdCommand.Read)
        {
            await input.ReadExactlyAsync(request.Destination).ConfigureAwait(false);
        }

        request.Replied(null);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ChunkAsync(ClientRequest request)
    {
        if (!structured)
            throw Broken("it gave a structured reply that was not negotiated");
        await FillAsync(NbdProtocol.StructuredReplyHeaderSize).ConfigureAwait(false);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(input.Span[4..]);
        var type = BinaryPrimitives.ReadUInt16BigEndian(input.Span[6..]);
        var length = BinaryPrimitives.ReadUInt32BigEndian(input.Span[16..]);
        var done = (flags & NbdProtocol.ChunkDone) != 0;
        input.Skip(NbdProtocol.StructuredReplyHeaderSize);
        switch (type)
        {
            case NbdProtocol.ChunkNone when done && length == 0:
                break;
            case NbdProtocol.ChunkOffsetData when length > 8 && request.Command == NbdCommand.Read:
                await FillAsync(8).ConfigureAwait(false);
                var data = Slice(request, length - 8);
                input.Skip(8);
                await input.ReadExactlyAsync(data).ConfigureAwait(false);
                break;
            case NbdProtocol.ChunkOffsetHole when length == 12 && request.Command == NbdCommand.Read:
                await FillAsync(12).ConfigureAwait(false);
                Slice(request, BinaryPrimitives.ReadUInt32BigEndian(input.Span[8..])).Span.Clear();
                input.Skip(12);
                break;
            case NbdProtocol.ChunkBlockStatus when request.Extents is not null && length <= MaxDescriptors && length > 4 && (length - 4) % DescriptorSize == 0:
                await ExtentsAsync(request, (int)(length - 4) / DescriptorSize).ConfigureAwait(false);
                break;
            case >= NbdProtocol.ChunkErrorBit when length is >= 6 and <= MaxError:
                await ErrorAsync(request, (int)length).ConfigureAwait(false);
                break;
            default:
                throw Broken($"it sent chunk type {type} of {length} bytes in reply to {request.Command}");
        }

        if (!done)
            return;
        if (request.Error == NbdError.None && request.Command == NbdCommand.Read && request.Covered != request.Length)
            throw Broken($"it answered a read of {request.Length} bytes with {request.Covered}");
        if (request.Error == NbdError.None && request.Extents is { Count: 0 })
            throw Broken("it answered a block status request without extents");
        request.Replied(null);
    }

    /// <summary>The part of a read's destination that the chunk in the buffer, with its offset in front, is for.</summary>
    private Memory<byte> Slice(ClientRequest request, uint length)
    {
        var start = BinaryPrimitives.ReadUInt64BigEndian(input.Span) - (ulong)request.Offset;
        if (length == 0 || start >= (ulong)request.Length || length > (ulong)request.Length - start)
            throw Broken("it sent data outside the range that was asked for");
        request.Covered += length;
        return request.Destination.Slice((int)start, (int)length);
    }

    private async ValueTask ExtentsAsync(ClientRequest request, int count)
    {
        await FillAsync(4).ConfigureAwait(false);
        var wanted = BinaryPrimitives.ReadUInt32BigEndian(input.Span) == contextId;
        input.Skip(4);
        var extents = request.Extents!;
        var next = request.Offset;
        for (var i = 0; i < count; i++)
        {
            await FillAsync(DescriptorSize).ConfigureAwait(false);
            var length = BinaryPrimitives.ReadUInt32BigEndian(input.Span);
            var state = BinaryPrimitives.ReadUInt32BigEndian(input.Span[4..]);
            input.Skip(DescriptorSize);
            if (length == 0)
                throw Broken("it sent an empty extent");
            if (wanted)
                extents.Add(new NbdExtent(next, length, (NbdExtentState)state & (NbdExtentState.Hole | NbdExtentState.Zero)));
            next += length;
        }
    }

    private async ValueTask ErrorAsync(ClientRequest request, int length)
    {
        await FillAsync(length).ConfigureAwait(false);
        var error = BinaryPrimitives.ReadUInt32BigEndian(input.Span);
        var textLength = BinaryPrimitives.ReadUInt16BigEndian(input.Span[4..]);
        if (error == 0 || textLength > length - 6)
            throw Broken("it sent an error that makes no sense");
        if (request.Error == NbdError.None)
        {
            request.Error = NbdErrorText.FromWire(error);
            request.ErrorText = Encoding.UTF8.GetString(input.Span.Slice(6, textLength));
        }

        input.Skip(length);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FillAsync(int count)
    {
        if (!await input.FillAsync(count).ConfigureAwait(false))
            throw new EndOfStreamException("the server closed it in the middle of a reply.");
    }

    private static InvalidDataException Broken(string what) => new($"the server broke the protocol: {what}.");
}
