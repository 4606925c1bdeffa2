using System.Buffers.Binary;
using System.Text;

namespace Architekt.Fabric.Nbd;

/// <summary>Reads the data of an option; every method is false when the data does not hold what it should.</summary>
internal ref struct OptionReader(ReadOnlySpan<byte> data)
{
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = data;

    public readonly bool AtEnd => _rest.IsEmpty;

    public bool TryUInt16(out ushort value)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value))
            return false;
        _rest = _rest[2..];
        return true;
    }

    public bool TryUInt32(out uint value)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(_rest, out value))
            return false;
        _rest = _rest[4..];
        return true;
    }

    /// <summary>A string with its length before it.</summary>
    public bool TryString(out string text)
    {
        text = "";
        if (!TryUInt32(out var length) || length > _rest.Length)
            return false;
        if (!TryText(_rest[..(int)length], out text))
            return false;
        _rest = _rest[(int)length..];
        return true;
    }

    /// <summary>UTF-8 within the length limit of the protocol, without NUL.</summary>
    public static bool TryText(ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        if (bytes.Length > NbdProtocol.MaxString || bytes.Contains((byte)0))
            return false;
        try
        {
            text = _strict.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
