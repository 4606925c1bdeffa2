using System.Buffers.Text;
using System.Text;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>
/// Passes a tar through and keeps the extended attributes of the file whose header comes next. The tar reader has them as text, and so it damages what is not
/// UTF-8: file capabilities, ACLs.
/// </summary>
/// <remarks>
/// The format: pax(1), "pax Extended Header"; the records are named by star(1) and written so by everyone who makes layers. The reader reads no
/// further than the header it returns, because this stream cannot seek.
/// </remarks>
internal sealed class PaxTap(Stream tar) : Stream
{
    private const int BlockSize = 512;
    private const int SizeOffset = 124;
    private const int SizeLength = 12;
    private const int TypeOffset = 156;
    private const byte ExtendedHeader = (byte)'x';
    private const int MaxExtendedHeader = 16 * 1024 * 1024;
    private const string AttributePrefix = "SCHILY.xattr.";

    private readonly byte[] _header = new byte[BlockSize];
    private int _headerLength;
    private long _toSkip;
    private byte[] _records = [];
    private int _recordsLength;
    private long? _sizeOverride;
    private Dictionary<string, byte[]> _attributes = [];

    /// <summary>Those of the header that was read last; they are forgotten then.</summary>
    internal IReadOnlyDictionary<string, byte[]> TakeAttributes()
    {
        var taken = _attributes;
        _attributes = [];
        return taken;
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = tar.Read(buffer);
        Observe(buffer[..count]);
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await tar.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Observe(buffer.Span[..count]);
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private void Observe(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int taken;
            if (_recordsLength < _records.Length)
            {
                taken = Math.Min(bytes.Length, _records.Length - _recordsLength);
                bytes[..taken].CopyTo(_records.AsSpan(_recordsLength));
                _recordsLength += taken;
                _toSkip -= taken;
                if (_recordsLength == _records.Length)
                    ReadRecords();
            }
            else if (_toSkip > 0)
            {
                taken = (int)Math.Min(bytes.Length, _toSkip);
                _toSkip -= taken;
            }
            else
            {
                taken = Math.Min(bytes.Length, BlockSize - _headerLength);
                bytes[..taken].CopyTo(_header.AsSpan(_headerLength));
                _headerLength += taken;
                if (_headerLength == BlockSize)
                    ReadHeader();
            }

            bytes = bytes[taken..];
        }
    }

    private void ReadHeader()
    {
        _headerLength = 0;
        var type = _header[TypeOffset];
        var size = _header.AsSpan().ContainsAnyExcept((byte)0) ? ReadSize() : 0;
        if (type == ExtendedHeader)
        {
            if (size > MaxExtendedHeader)
                throw new InvalidDataException($"an extended header has {size} bytes");
            _records = new byte[size];
            _recordsLength = 0;
        }
        else if (type is not ((byte)'g' or (byte)'L' or (byte)'K'))
        {
            size = _sizeOverride ?? size;
            _sizeOverride = null;
        }

        _toSkip = (size + BlockSize - 1) / BlockSize * BlockSize;
    }

    private long ReadSize()
    {
        var field = _header.AsSpan(SizeOffset, SizeLength);
        var size = 0L;
        if ((field[0] & 0x80) != 0)
        {
            // GNU's binary numbers, for what has more than 8 GiB.
            foreach (var part in field[4..])
                size = (size << 8) | part;
        }
        else
        {
            foreach (var digit in field)
            {
                if (digit is >= (byte)'0' and <= (byte)'7')
                    size = (size << 3) | (uint)(digit - '0');
            }
        }

        return size >= 0 ? size : throw new InvalidDataException("a header has a negative size");
    }

    // Each record: its whole length in decimal digits, a blank, name=value, a line feed.
    private void ReadRecords()
    {
        ReadOnlySpan<byte> rest = _records;
        while (rest.Length > 0 && Utf8Parser.TryParse(rest, out int length, out var digits) && length > digits + 1 && length <= rest.Length)
        {
            var record = rest[(digits + 1)..(length - 1)];
            rest = rest[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 0)
                continue;
            var name = Encoding.UTF8.GetString(record[..equals]);
            var value = record[(equals + 1)..];
            if (name.StartsWith(AttributePrefix, StringComparison.Ordinal))
                _attributes[name[AttributePrefix.Length..]] = value.ToArray();
            else if (name == "size" && Utf8Parser.TryParse(value, out long size, out _) && size >= 0)
                _sizeOverride = size;
        }

        _records = [];
        _recordsLength = 0;
    }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
