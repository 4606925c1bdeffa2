using System.Buffers;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Architekt.Fabric.Packages;

/// <summary>Decompresses an entry from any zstd frames, and sees without decompressing which are <see cref="ZeroFrame"/>s.</summary>
/// <param name="body">The compressed bytes.</param>
/// <param name="size">How long the content must be.</param>
/// <param name="refuse">Makes the error for what is wrong.</param>
internal sealed class FrameDecoder(ArkBody body, long size, Func<string, PackageException> refuse)
{
    // What the zstd tool takes without being asked, too; larger windows are a way to use up memory.
    private const int MaxWindowLog = 27;

    private long _position;
    private bool _insideFrame;
    private bool _mayHoldMore;

    internal IEnumerable<ContentSegment> Decode(CancellationToken cancellationToken)
    {
        using var decompressor = new Decompressor();
        decompressor.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, MaxWindowLog);
        var (buffer, other) = (new byte[ContentSegment.MaxData], new byte[ContentSegment.MaxData]);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_insideFrame && body.Fill(ZeroFrame.MaxLength) && ZeroFrame.TryMatch(body.Available, out var zeros, out var length))
            {
                Advance(zeros);
                body.Use(length);
                yield return new ContentSegment(default, zeros);
                continue;
            }

            var bytes = Decompress(decompressor, buffer);
            if (bytes == 0)
                break;
            Advance(bytes);
            yield return new ContentSegment(buffer.AsMemory(0, bytes), 0);
            (buffer, other) = (other, buffer);
        }

        if (_position < size)
            throw refuse($"it ends after {_position} bytes, but the manifest says {size}");
    }

    /// <summary>Before anything is handed out: a bomb gets no further than the manifest has said.</summary>
    private void Advance(long bytes)
    {
        if (bytes > size - _position)
            throw refuse($"it is longer than the {size} bytes of the manifest");
        _position += bytes;
    }

    /// <returns>How many bytes of the buffer were filled, as far as the end of the frame; 0 at the end of the body.</returns>
    private int Decompress(Decompressor decompressor, Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length && (body.Fill(1) || _mayHoldMore))
        {
            var status = decompressor.UnwrapStream(body.Available, buffer[filled..], out var used, out var bytes);
            // Using nothing and giving nothing, with both to be had, would go on for ever.
            if (status == OperationStatus.InvalidData || (used == 0 && bytes == 0 && body.Fill(1)))
                throw refuse($"it cannot be decompressed: it is not zstd, or damaged, or needs a window of more than {1 << (MaxWindowLog - 20)} MiB");
            body.Use(used);
            filled += bytes;
            _insideFrame = status != OperationStatus.Done;
            // It keeps what found no room, even after the last byte of input.
            _mayHoldMore = _insideFrame && filled == buffer.Length;
            if (!_insideFrame && filled > 0)
                return filled;
        }

        if (filled == 0 && _insideFrame)
            throw refuse("its last frame is cut off");
        return filled;
    }
}
