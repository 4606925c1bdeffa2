using Microsoft.Win32.SafeHandles;

namespace Architekt.Fabric.Packages;

/// <summary>The bytes of one member of an archive, read through a buffer.</summary>
/// <param name="file">The archive.</param>
/// <param name="offset">Where the member's body begins.</param>
/// <param name="length">Its length.</param>
internal sealed class ArkBody(SafeFileHandle file, long offset, long length)
{
    private readonly byte[] _buffer = new byte[256 * 1024];
    private long _position = offset;
    private long _left = length;
    private int _start;
    private int _end;

    /// <summary>What has been read and not been used yet.</summary>
    internal ReadOnlySpan<byte> Available => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Reads until so many bytes are available, or all that are left.</summary>
    /// <returns>False when not one is left.</returns>
    internal bool Fill(int count)
    {
        if (Available.Length < count && _left > 0)
        {
            Available.CopyTo(_buffer);
            (_start, _end) = (0, Available.Length);
            while (_end < count && _left > 0)
            {
                var read = RandomAccess.Read(file, _buffer.AsSpan(_end, (int)Math.Min(_buffer.Length - _end, _left)), _position);
                if (read == 0)
                    throw new EndOfStreamException("The archive became shorter while it was read.");
                _end += read;
                _position += read;
                _left -= read;
            }
        }

        return _start < _end;
    }

    internal void Use(int count) => _start += count;
}
