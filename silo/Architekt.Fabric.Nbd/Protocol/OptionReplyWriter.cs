using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>Collects the replies to one option, to be sent together.</summary>
internal sealed class OptionReplyWriter
{
    private readonly ArrayBufferWriter<byte> _writer = new();

    public ReadOnlyMemory<byte> Written => _writer.WrittenMemory;

    public void Clear() => _writer.ResetWrittenCount();

    public void Ack(uint option) => Reply(option, NbdProtocol.ReplyAck, 0);

    public void Refuse(uint option, NbdRefusal refusal, string text)
    {
        Reply(option, NbdProtocol.ReplyErrorBit | (uint)refusal, text.Length);
        Text(text);
    }

    public void Reply(uint option, uint type, int length)
    {
        var span = _writer.GetSpan(NbdProtocol.OptionReplyHeaderSize);
        BinaryPrimitives.WriteUInt64BigEndian(span, NbdProtocol.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(span[8..], option);
        BinaryPrimitives.WriteUInt32BigEndian(span[12..], type);
        BinaryPrimitives.WriteUInt32BigEndian(span[16..], (uint)length);
        _writer.Advance(NbdProtocol.OptionReplyHeaderSize);
    }

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_writer.GetSpan(2), value);
        _writer.Advance(2);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_writer.GetSpan(4), value);
        _writer.Advance(4);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_writer.GetSpan(8), value);
        _writer.Advance(8);
    }

    public void Text(string text) => _writer.Advance(Encoding.UTF8.GetBytes(text, _writer.GetSpan(Encoding.UTF8.GetByteCount(text))));

    public void Zeroes(int count)
    {
        _writer.GetSpan(count)[..count].Clear();
        _writer.Advance(count);
    }
}
