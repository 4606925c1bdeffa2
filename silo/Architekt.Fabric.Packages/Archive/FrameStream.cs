namespace Architekt.Fabric.Packages;

/// <summary>Frames as a stream of unknown length: given one, <see cref="System.Formats.Tar.TarWriter"/> writes the header after the body.</summary>
internal sealed class FrameStream(IEnumerable<ReadOnlyMemory<byte>> frames) : Stream
{
    private readonly IEnumerator<ReadOnlyMemory<byte>> _frames = frames.GetEnumerator();
    private ReadOnlyMemory<byte> _left;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var filled = 0;
        // As full as it gets: a frame of zeros is a few bytes, and each piece becomes a system call.
        while (filled < buffer.Length && (!_left.IsEmpty || Next()))
        {
            var length = Math.Min(buffer.Length - filled, _left.Length);
            _left.Span[..length].CopyTo(buffer[filled..]);
            _left = _left[length..];
            filled += length;
        }

        return filled;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is written to it.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _frames.Dispose();
        base.Dispose(disposing);
    }

    private bool Next()
    {
        if (!_frames.MoveNext())
            return false;
        _left = _frames.Current;
        return true;
    }
}
