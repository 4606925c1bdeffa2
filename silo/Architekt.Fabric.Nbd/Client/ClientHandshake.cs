using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>The client's side of the fixed newstyle handshake.</summary>
internal sealed class ClientHandshake(NbdTransport transport, InboundBuffer input, string peer)
{
    /// <summary>Longest reply to an option that makes sense: a name, a description and their lengths.</summary>
    private const int MaxReply = 16 << 10;

    private readonly OptionReplyWriter _request = new();
    private bool _noZeroes;

    public long Size { get; private set; }

    public NbdFeatures Flags { get; private set; }

    public NbdBlockSizes BlockSizes { get; private set; } = new(NbdProtocol.MinimumBlockSize, NbdProtocol.PreferredBlockSize, NbdProtocol.MaximumBlockSize);

    /// <summary>True when the server named its block sizes.</summary>
    public bool HasBlockSizes { get; private set; }

    public bool StructuredReplies { get; private set; }

    public uint? AllocationContextId { get; private set; }

    private string? Description { get; set; }

    public async ValueTask GreetAsync(CancellationToken cancellationToken)
    {
        await FillAsync(18, cancellationToken).ConfigureAwait(false);
        var magic = BinaryPrimitives.ReadUInt64BigEndian(input.Span);
        var style = BinaryPrimitives.ReadUInt64BigEndian(input.Span[8..]);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(input.Span[16..]);
        input.Skip(18);
        if (magic != NbdProtocol.InitMagic || style != NbdProtocol.OptionMagic || (flags & NbdProtocol.ServerFixedNewStyle) == 0)
        {
            throw new NbdConnectionException(style == NbdProtocol.OldStyleMagic
                ? $"The NBD server at {peer} only speaks the oldstyle handshake, which is not supported."
                : $"What answers at {peer} is no NBD server with the fixed newstyle handshake.");
        }

        _noZeroes = (flags & NbdProtocol.ServerNoZeroes) != 0;
        _request.UInt32(NbdProtocol.ClientFixedNewStyle | (_noZeroes ? NbdProtocol.ClientNoZeroes : 0));
        await SendAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens an export with what the options ask for and the server has.</summary>
    public async ValueTask OpenAsync(string exportName, NbdClientOptions options, CancellationToken cancellationToken)
    {
        if (options.StructuredReplies || options.AllocationContext)
        {
            Option(NbdOption.StructuredReply, 0);
            StructuredReplies = await RepliesAsync(NbdOption.StructuredReply, static _ => { }, cancellationToken).ConfigureAwait(false) == NbdRefusal.None;
        }

        if (StructuredReplies && options.AllocationContext)
            await SelectContextAsync(exportName, cancellationToken).ConfigureAwait(false);

        var refusal = await DescribeAsync(NbdOption.Go, exportName, cancellationToken).ConfigureAwait(false);
        if (refusal is NbdRefusal.Unsupported)
            await OpenOldWayAsync(exportName, cancellationToken).ConfigureAwait(false);
        else if (refusal is not NbdRefusal.None)
            throw Refused($"to open export '{exportName}'", refusal);
    }

    public async ValueTask<List<NbdExportInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var names = new List<(string Name, string Description)>();
        Option(NbdOption.List, 0);
        var refusal = await RepliesAsync(
            NbdOption.List,
            reply =>
            {
                var reader = new OptionReader(reply.Data);
                if (reply.Type != NbdProtocol.ReplyServer || !reader.TryString(out var name))
                    throw Broken("a list of exports");
                names.Add((name, Encoding.UTF8.GetString(reply.Data[(4 + Encoding.UTF8.GetByteCount(name))..])));
            },
            cancellationToken).ConfigureAwait(false);
        if (refusal != NbdRefusal.None)
            throw Refused("to list its exports", refusal);

        var exports = new List<NbdExportInfo>(names.Count);
        foreach (var (name, listed) in names)
        {
            Description = listed.Length > 0 ? listed : null;
            var known = await DescribeAsync(NbdOption.Info, name, cancellationToken).ConfigureAwait(false) == NbdRefusal.None;
            exports.Add(new NbdExportInfo(name, Description, known ? Size : null, known ? Flags : NbdFeatures.None));
        }

        Option(NbdOption.Abort, 0);
        await SendAsync(cancellationToken).ConfigureAwait(false);
        return exports;
    }

    private async ValueTask SelectContextAsync(string exportName, CancellationToken cancellationToken)
    {
        var nameLength = Encoding.UTF8.GetByteCount(exportName);
        Option(NbdOption.SetMetaContext, 4 + nameLength + 4 + 4 + NbdProtocol.AllocationContext.Length);
        _request.UInt32((uint)nameLength);
        _request.Text(exportName);
        _request.UInt32(1);
        _request.UInt32((uint)NbdProtocol.AllocationContext.Length);
        _request.Text(NbdProtocol.AllocationContext);
        uint? id = null;
        var refusal = await RepliesAsync(
            NbdOption.SetMetaContext,
            reply =>
            {
                if (reply.Type != NbdProtocol.ReplyMetaContext || reply.Data.Length < 4)
                    throw Broken("metadata contexts");
                if (reply.Data[4..].SequenceEqual("base:allocation"u8))
                    id = BinaryPrimitives.ReadUInt32BigEndian(reply.Data);
            },
            cancellationToken).ConfigureAwait(false);
        AllocationContextId = refusal == NbdRefusal.None ? id : null;
    }

    private async ValueTask<NbdRefusal> DescribeAsync(NbdOption option, string exportName, CancellationToken cancellationToken)
    {
        var nameLength = Encoding.UTF8.GetByteCount(exportName);
        Option(option, 4 + nameLength + 2 + 4);
        _request.UInt32((uint)nameLength);
        _request.Text(exportName);
        _request.UInt16(2);
        _request.UInt16(NbdProtocol.InfoBlockSize);
        _request.UInt16(NbdProtocol.InfoDescription);
        var seen = false;
        var refusal = await RepliesAsync(
            option,
            reply =>
            {
                if (reply.Type != NbdProtocol.ReplyInfo || reply.Data.Length < 2)
                    throw Broken("information about an export");
                seen |= Take(reply.Data);
            },
            cancellationToken).ConfigureAwait(false);
        return refusal == NbdRefusal.None && !seen ? throw Broken("information about an export") : refusal;
    }

    private bool Take(ReadOnlySpan<byte> info)
    {
        switch (BinaryPrimitives.ReadUInt16BigEndian(info))
        {
            case NbdProtocol.InfoExport when info.Length == 12:
                TakeExport(BinaryPrimitives.ReadUInt64BigEndian(info[2..]), BinaryPrimitives.ReadUInt16BigEndian(info[10..]));
                return true;
            case NbdProtocol.InfoDescription:
                Description = Encoding.UTF8.GetString(info[2..]);
                return false;
            case NbdProtocol.InfoBlockSize when info.Length == 14:
                var minimum = BinaryPrimitives.ReadUInt32BigEndian(info[2..]);
                var maximum = BinaryPrimitives.ReadUInt32BigEndian(info[10..]);
                if (minimum is 0 or > 65536 || maximum < minimum)
                    throw Broken("block sizes");
                BlockSizes = new NbdBlockSizes((int)minimum, (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(info[6..]), 1 << 30), (int)Math.Min(maximum, NbdProtocol.MaximumBlockSize));
                HasBlockSizes = true;
                return false;
            default:
                return false;
        }
    }

    private void TakeExport(ulong size, ushort flags)
    {
        if (size > long.MaxValue)
            throw Broken("the size of an export");
        Size = (long)size;
        Flags = (NbdFeatures)flags;
    }

    private async ValueTask OpenOldWayAsync(string exportName, CancellationToken cancellationToken)
    {
        Option(NbdOption.ExportName, Encoding.UTF8.GetByteCount(exportName));
        _request.Text(exportName);
        await SendAsync(cancellationToken).ConfigureAwait(false);
        var length = 10 + (_noZeroes ? 0 : NbdProtocol.ExportNamePadding);
        if (!await input.FillAsync(length, cancellationToken).ConfigureAwait(false))
            throw Refused($"to open export '{exportName}'", NbdRefusal.UnknownExport);
        TakeExport(BinaryPrimitives.ReadUInt64BigEndian(input.Span), BinaryPrimitives.ReadUInt16BigEndian(input.Span[8..]));
        input.Skip(length);
    }

    private void Option(NbdOption option, int length)
    {
        _request.UInt64(NbdProtocol.OptionMagic);
        _request.UInt32((uint)option);
        _request.UInt32((uint)length);
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        await transport.SendAsync(_request.Written, cancellationToken).ConfigureAwait(false);
        _request.Clear();
    }

    /// <summary>Sends the option and hands each reply to <paramref name="take"/> up to the last one, which says whether the server refused.</summary>
    private async ValueTask<NbdRefusal> RepliesAsync(NbdOption option, TakeReply take, CancellationToken cancellationToken)
    {
        await SendAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await FillAsync(NbdProtocol.OptionReplyHeaderSize, cancellationToken).ConfigureAwait(false);
            var magic = BinaryPrimitives.ReadUInt64BigEndian(input.Span);
            var repliedOption = BinaryPrimitives.ReadUInt32BigEndian(input.Span[8..]);
            var type = BinaryPrimitives.ReadUInt32BigEndian(input.Span[12..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(input.Span[16..]);
            input.Skip(NbdProtocol.OptionReplyHeaderSize);
            if (magic != NbdProtocol.OptionReplyMagic || repliedOption != (uint)option || length > MaxReply)
                throw Broken($"the reply to option {option}");
            await FillAsync((int)length, cancellationToken).ConfigureAwait(false);
            if (type is not NbdProtocol.ReplyAck && (type & NbdProtocol.ReplyErrorBit) == 0)
                take(new Reply(type, input.Span[..(int)length]));
            input.Skip((int)length);
            if (type == NbdProtocol.ReplyAck)
                return NbdRefusal.None;
            if ((type & NbdProtocol.ReplyErrorBit) != 0)
                return (NbdRefusal)(type & ~NbdProtocol.ReplyErrorBit);
        }
    }

    private async ValueTask FillAsync(int count, CancellationToken cancellationToken)
    {
        if (count > 0 && !await input.FillAsync(count, cancellationToken).ConfigureAwait(false))
            throw new NbdConnectionException($"The NBD server at {peer} closed the connection during the handshake.");
    }

    private NbdConnectionException Broken(string what) => new($"The NBD server at {peer} broke the protocol: {what} did not make sense.");

    private NbdConnectionException Refused(string what, NbdRefusal refusal) => new($"The NBD server at {peer} refused {what}: {refusal}.", refusal);

    private delegate void TakeReply(Reply reply);

    private readonly ref struct Reply(uint type, ReadOnlySpan<byte> data)
    {
        public uint Type { get; } = type;

        public ReadOnlySpan<byte> Data { get; } = data;
    }
}
