using System.Buffers.Binary;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// For whoever carries bytes between an NBD client and a server: takes features away from what the server offers, so that the client does not use them.
/// Changes what the server says in place and keeps no byte back. Knows fixed newstyle with NBD_OPT_GO (proto.md, "Newstyle negotiation"); anything else
/// passes as it is.
/// </summary>
/// <param name="hidden">What the client shall not know of.</param>
public sealed class ExportFlagsFilter(NbdFeatures hidden)
{
    private const int GreetingSize = 18;
    private const int ExportInfoSize = 12;
    private const int FlagsOffset = 10;
    private readonly byte[] _header = new byte[NbdProtocol.OptionReplyHeaderSize];
    private readonly byte[] _kind = new byte[2];
    private Stage _stage;
    private int _position;
    private uint _type;
    private uint _length;

    private enum Stage
    {
        Greeting,
        Header,
        Payload,
        Over,
    }

    /// <summary>Whether all the rest passes as it is: the export is open, or it is not a negotiation this knows.</summary>
    public bool IsOver => _stage == Stage.Over;

    /// <summary>Takes the next bytes of the server, in order and without gaps.</summary>
    public void Apply(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length && !IsOver; i++)
        {
            ref var value = ref bytes[i];
            switch (_stage)
            {
                case Stage.Greeting:
                    if (++_position == GreetingSize) Enter(Stage.Header);
                    break;
                case Stage.Header:
                    _header[_position++] = value;
                    if (_position == _header.Length) ReadHeader();
                    break;
                default:
                    TakePayload(ref value);
                    break;
            }
        }
    }

    private void ReadHeader()
    {
        var isReply = BinaryPrimitives.ReadUInt64BigEndian(_header) == NbdProtocol.OptionReplyMagic;
        var option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(8));
        _type = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(12));
        _length = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(16));
        if (!isReply || (option == NbdOption.Go && _type == NbdProtocol.ReplyAck)) Enter(Stage.Over);
        else Enter(_length == 0 ? Stage.Header : Stage.Payload);
    }

    private void TakePayload(ref byte value)
    {
        if (_position < _kind.Length) _kind[_position] = value;
        else if (_position is FlagsOffset or FlagsOffset + 1 && IsExportInfo) value &= (byte)~((int)hidden >> (_position == FlagsOffset ? 8 : 0));
        if (++_position == _length) Enter(Stage.Header);
    }

    private bool IsExportInfo =>
        _type == NbdProtocol.ReplyInfo && _length == ExportInfoSize && BinaryPrimitives.ReadUInt16BigEndian(_kind) == NbdProtocol.InfoExport;

    private void Enter(Stage stage)
    {
        _stage = stage;
        _position = 0;
    }
}
