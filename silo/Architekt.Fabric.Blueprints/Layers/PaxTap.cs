using System.Buffers.Text;
using System.Text;

namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>
/// Passes a tar through and keeps the extended attributes of the file whose header comes next. The tar reader takes them for text: it damages what is not UTF-8,
/// and refuses a line break, but file capabilities and ACLs are bytes of any kind. So it gets to see none of them.
/// </summary>
/// <remarks>The format: pax(1), "pax Extended Header"; the records are named by star(1) and written so by everyone who makes layers.</remarks>
/// <param name="tar">The tar.</param>
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
    private int _recordsPassed;
    private bool _areRecordsRead = true;
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
        if (!_areRecordsRead)
        {
            tar.ReadExactly(_records);
            ReadRecords();
        }

        return _recordsPassed < _records.Length ? PassRecords(buffer) : Observe(buffer, tar.Read(buffer[..Limit(buffer.Length)]));
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_areRecordsRead)
        {
            await tar.ReadExactlyAsync(_records, cancellationToken).ConfigureAwait(false);
            ReadRecords();
        }

        if (_recordsPassed < _records.Length)
            return PassRecords(buffer.Span);
        var count = await tar.ReadAsync(buffer[..Limit(buffer.Length)], cancellationToken).ConfigureAwait(false);
        return Observe(buffer.Span, count);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // Never past the end of a header, which decides about what follows it.
    private int Limit(int length) => (int)Math.Min(length, _toSkip > 0 ? _toSkip : BlockSize - _headerLength);

    private int PassRecords(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _records.Length - _recordsPassed);
        _records.AsSpan(_recordsPassed, count).CopyTo(buffer);
        _recordsPassed += count;
        return count;
    }

    private int Observe(ReadOnlySpan<byte> buffer, int count)
    {
        if (_toSkip > 0)
        {
            _toSkip -= count;
            return count;
        }

        buffer[..count].CopyTo(_header.AsSpan(_headerLength));
        _headerLength += count;
        if (_headerLength == BlockSize)
            ReadHeader();
        return count;
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
            _recordsPassed = 0;
            _areRecordsRead = false;
        }
        else if (type is not ((byte)'g' or (byte)'L' or (byte)'K'))
        {
            size = _sizeOverride ?? size;
            _sizeOverride = null;
        }

        // The records themselves are passed on from here, their padding is skipped like contents.
        _toSkip = ((size + BlockSize - 1) / BlockSize * BlockSize) - (type == ExtendedHeader ? size : 0);
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
        _areRecordsRead = true;
        var rest = _records.AsSpan();
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
            {
                _attributes[name[AttributePrefix.Length..]] = value.ToArray();
                value.Fill((byte)'x');
            }
            else if (name == "size" && Utf8Parser.TryParse(value, out long size, out _) && size >= 0)
                _sizeOverride = size;
        }
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
