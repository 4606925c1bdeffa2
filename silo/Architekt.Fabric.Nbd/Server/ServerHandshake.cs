using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>The server's side of the fixed newstyle handshake (proto.md, "Fixed newstyle negotiation").</summary>
internal sealed class ServerHandshake(NbdServer server, NbdTransport transport, InboundBuffer input)
{
    private readonly OptionReplyWriter _reply = new();
    private ExportRegistration? _contextExport;
    private bool _noZeroes;

    public bool StructuredReplies { get; private set; }

    /// <summary>True when <c>base:allocation</c> was selected for the export that was opened.</summary>
    public bool AllocationContext { get; private set; }

    /// <summary>Returns the export that the client opened, or null when the connection is to be closed.</summary>
    public async ValueTask<ExportRegistration?> NegotiateAsync(CancellationToken cancellationToken)
    {
        _reply.UInt64(NbdProtocol.InitMagic);
        _reply.UInt64(NbdProtocol.OptionMagic);
        _reply.UInt16(NbdProtocol.ServerFixedNewStyle | NbdProtocol.ServerNoZeroes);
        await SendAsync(cancellationToken).ConfigureAwait(false);

        if (!await input.FillAsync(4, cancellationToken).ConfigureAwait(false))
            return null;
        var clientFlags = BinaryPrimitives.ReadUInt32BigEndian(input.Span);
        input.Skip(4);
        if ((clientFlags & ~(NbdProtocol.ClientFixedNewStyle | NbdProtocol.ClientNoZeroes)) != 0)
            return null;
        _noZeroes = (clientFlags & NbdProtocol.ClientNoZeroes) != 0;

        while (await input.FillAsync(NbdProtocol.OptionHeaderSize, cancellationToken).ConfigureAwait(false))
        {
            if (BinaryPrimitives.ReadUInt64BigEndian(input.Span) != NbdProtocol.OptionMagic)
                return null;
            var option = BinaryPrimitives.ReadUInt32BigEndian(input.Span[8..]);
            var length = BinaryPrimitives.ReadUInt32BigEndian(input.Span[12..]);
            input.Skip(NbdProtocol.OptionHeaderSize);

            if (length > InboundBuffer.MaxFill)
            {
                await input.DiscardAsync(length, cancellationToken).ConfigureAwait(false);
                if (option == (uint)NbdOption.ExportName)
                    return null;
                var known = Enum.IsDefined((NbdOption)option) && option != (uint)NbdOption.StartTls;
                _reply.Refuse(option, known ? NbdRefusal.TooBig : NbdRefusal.Unsupported, known ? "option data too long" : "unknown option");
                await SendAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (length > 0 && !await input.FillAsync((int)length, cancellationToken).ConfigureAwait(false))
                return null;
            var ended = Answer((NbdOption)option, input.Span[..(int)length], out var opened);
            input.Skip((int)length);
            await SendAsync(cancellationToken).ConfigureAwait(false);
            if (ended)
                return opened;
        }

        return null;
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (_reply.Written.Length > 0)
            await transport.SendAsync(_reply.Written, cancellationToken).ConfigureAwait(false);
        _reply.Clear();
    }

    /// <summary>Writes the reply to one option. True when the handshake ends with it.</summary>
    private bool Answer(NbdOption option, ReadOnlySpan<byte> data, out ExportRegistration? opened)
    {
        opened = null;
        if (server.IsStopping && option != NbdOption.Abort)
        {
            _reply.Refuse((uint)option, NbdRefusal.ShuttingDown, "the server is shutting down");
            return option == NbdOption.ExportName;
        }

        switch (option)
        {
            case NbdOption.ExportName:
                opened = OpenByName(data);
                return true;
            case NbdOption.Abort:
                _reply.Ack((uint)option);
                return true;
            case NbdOption.List:
                List(data);
                return false;
            case NbdOption.Info:
                Describe(option, data);
                return false;
            case NbdOption.Go:
                opened = Describe(option, data);
                return opened is not null;
            case NbdOption.StructuredReply:
                if (data.IsEmpty)
                {
                    StructuredReplies = true;
                    _reply.Ack((uint)option);
                }
                else
                {
                    Malformed(option);
                }

                return false;
            case NbdOption.ListMetaContext or NbdOption.SetMetaContext:
                SelectContexts(option, data);
                return false;
            default:
                _reply.Refuse((uint)option, NbdRefusal.Unsupported, "unknown option");
                return false;
        }
    }

    private ExportRegistration? OpenByName(ReadOnlySpan<byte> data)
    {
        if (!OptionReader.TryText(data, out var name) || server.Find(name) is not { } found)
            return null;
        _reply.UInt64((ulong)found.Export.Size);
        _reply.UInt16((ushort)FlagsOf(found.Export));
        if (!_noZeroes)
            _reply.Zeroes(NbdProtocol.ExportNamePadding);
        AllocationContext = _contextExport == found;
        return found;
    }

    private void List(ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
        {
            Malformed(NbdOption.List);
            return;
        }

        foreach (var export in server.ListedExports())
        {
            var description = export.Description ?? "";
            var nameLength = Encoding.UTF8.GetByteCount(export.Name);
            _reply.Reply((uint)NbdOption.List, NbdProtocol.ReplyServer, 4 + nameLength + Encoding.UTF8.GetByteCount(description));
            _reply.UInt32((uint)nameLength);
            _reply.Text(export.Name);
            _reply.Text(description);
        }

        _reply.Ack((uint)NbdOption.List);
    }

    private ExportRegistration? Describe(NbdOption option, ReadOnlySpan<byte> data)
    {
        var reader = new OptionReader(data);
        if (!reader.TryString(out var name) || !reader.TryUInt16(out var count))
        {
            Malformed(option);
            return null;
        }

        bool wantsName = false, wantsDescription = false, wantsBlockSize = false;
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryUInt16(out var info))
            {
                Malformed(option);
                return null;
            }

            wantsName |= info == NbdProtocol.InfoName;
            wantsDescription |= info == NbdProtocol.InfoDescription;
            wantsBlockSize |= info == NbdProtocol.InfoBlockSize;
        }

        if (!reader.AtEnd)
        {
            Malformed(option);
            return null;
        }

        if (server.Find(name) is not { } found)
        {
            _reply.Refuse((uint)option, NbdRefusal.UnknownExport, "no such export");
            return null;
        }

        _reply.Reply((uint)option, NbdProtocol.ReplyInfo, 12);
        _reply.UInt16(NbdProtocol.InfoExport);
        _reply.UInt64((ulong)found.Export.Size);
        _reply.UInt16((ushort)FlagsOf(found.Export));
        if (wantsName)
            TextInfo(option, NbdProtocol.InfoName, found.Export.Name);
        if (wantsDescription && found.Export.Description is { } description)
            TextInfo(option, NbdProtocol.InfoDescription, description);
        if (wantsBlockSize)
        {
            _reply.Reply((uint)option, NbdProtocol.ReplyInfo, 14);
            _reply.UInt16(NbdProtocol.InfoBlockSize);
            _reply.UInt32(NbdProtocol.MinimumBlockSize);
            _reply.UInt32(NbdProtocol.PreferredBlockSize);
            _reply.UInt32(NbdProtocol.MaximumBlockSize);
        }

        _reply.Ack((uint)option);
        AllocationContext = _contextExport == found;
        return found;
    }

    private void TextInfo(NbdOption option, ushort type, string text)
    {
        _reply.Reply((uint)option, NbdProtocol.ReplyInfo, 2 + Encoding.UTF8.GetByteCount(text));
        _reply.UInt16(type);
        _reply.Text(text);
    }

    private void SelectContexts(NbdOption option, ReadOnlySpan<byte> data)
    {
        var set = option == NbdOption.SetMetaContext;
        if (set)
            _contextExport = null;

        var reader = new OptionReader(data);
        if (!StructuredReplies || !reader.TryString(out var name) || !reader.TryUInt32(out var count))
        {
            Malformed(option);
            return;
        }

        var selected = count == 0 && !set;
        for (uint i = 0; i < count; i++)
        {
            if (!reader.TryString(out var query))
            {
                Malformed(option);
                return;
            }

            selected |= query == NbdProtocol.AllocationContext || (!set && query == "base:");
        }

        if (!reader.AtEnd)
        {
            Malformed(option);
            return;
        }

        if (server.Find(name) is not { } found)
        {
            _reply.Refuse((uint)option, NbdRefusal.UnknownExport, "no such export");
            return;
        }

        if (selected)
        {
            _reply.Reply((uint)option, NbdProtocol.ReplyMetaContext, 4 + NbdProtocol.AllocationContext.Length);
            _reply.UInt32(set ? NbdProtocol.AllocationContextId : 0);
            _reply.Text(NbdProtocol.AllocationContext);
            if (set)
                _contextExport = found;
        }

        _reply.Ack((uint)option);
    }

    private void Malformed(NbdOption option)
    {
        _reply.Clear();
        _reply.Refuse((uint)option, NbdRefusal.Invalid, "malformed option, or structured replies were not negotiated before");
    }

    private NbdFeatures FlagsOf(INbdExport export)
    {
        var flags = NbdFeatures.HasFlags | NbdFeatures.Flush | NbdFeatures.ForceUnitAccess | NbdFeatures.Cache;
        flags |= export.IsReadOnly
            ? NbdFeatures.ReadOnly
            : NbdFeatures.Trim | NbdFeatures.WriteZeroes | NbdFeatures.FastZero;
        if (StructuredReplies)
            flags |= NbdFeatures.DoNotFragment;
        if (export.CanMultiConn)
            flags |= NbdFeatures.MultiConnection;
        return flags;
    }
}
