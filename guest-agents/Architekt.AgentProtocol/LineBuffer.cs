namespace Architekt.AgentProtocol;

/// <summary>Cuts a stream of bytes into lines of bounded length; what comes after a line that is too long is dropped up to its end.</summary>
public sealed class LineBuffer
{
    private readonly byte[] _line = new byte[AgentLimits.MaxLineBytes];
    private int _length;
    private bool _overlong;

    /// <summary>Takes bytes from <paramref name="input"/> up to the end of a line.</summary>
    /// <param name="input">The bytes not yet taken; advanced past what was.</param>
    /// <param name="line">The line without its line feed; valid until the next call.</param>
    public LineResult Take(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> line)
    {
        line = default;
        var end = input.IndexOf((byte)'\n');
        var part = end < 0 ? input : input[..end];
        input = end < 0 ? default : input[(end + 1)..];
        if (_overlong || part.Length > _line.Length - _length)
            _overlong = true;
        else
        {
            part.CopyTo(_line.AsSpan(_length));
            _length += part.Length;
        }

        if (end < 0)
            return LineResult.Incomplete;
        var result = _overlong ? LineResult.TooLong : LineResult.Line;
        line = _overlong ? default : _line.AsSpan(0, _length);
        Reset();
        return result;
    }

    /// <summary>Forgets a half-read line, when the other side went away in the middle of it.</summary>
    public void Reset()
    {
        _length = 0;
        _overlong = false;
    }
}
