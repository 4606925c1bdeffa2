using System.Buffers;
using System.Collections.Concurrent;
using ZstdSharp;

namespace Architekt.Fabric.Packages;

/// <summary>
/// Compresses an entry into independent zstd frames, several at once, in order. The same content gives the same frames,
/// wherever it was read from as long as it came in the same segments.
/// </summary>
internal static class FrameEncoder
{
    // As large a run of zeros as takes about the time to compress that a frame more costs.
    private const int ZeroBlock = 64 * 1024;

    private static readonly int _mostAtOnce = Environment.ProcessorCount + 1;

    /// <param name="content">What to compress.</param>
    /// <param name="level">How hard to try, 1 to 22.</param>
    /// <param name="digest">Is given all of the content, too.</param>
    /// <returns>Frames, each overwritten when the next is asked for.</returns>
    internal static IEnumerable<ReadOnlyMemory<byte>> Encode(IEnumerable<ContentSegment> content, int level, ContentDigest? digest)
    {
        using var compressors = new Compressors(level);
        var frames = new Queue<Task<Frame>>();
        try
        {
            var zeros = 0L;
            foreach (var segment in content)
            {
                zeros += segment.Zeros;
                foreach (var run in Runs(segment.Data))
                {
                    zeros += run.Zeros;
                    if (run.Data.Length == 0)
                        continue;
                    EnqueueZeros(frames, zeros);
                    zeros = 0;
                    var copy = Frame.CopyOf(run.Data.Span);
                    frames.Enqueue(Task.Run(() => compressors.Compress(copy)));
                }

                // Beside the compression.
                digest?.Append(segment);
                while (frames.Count > _mostAtOnce)
                {
                    using var frame = Finished(frames);
                    yield return frame.Bytes;
                }
            }

            EnqueueZeros(frames, zeros);
            while (frames.Count > 0)
            {
                using var frame = Finished(frames);
                yield return frame.Bytes;
            }
        }
        finally
        {
            // Only when something failed: the compressors must not be in use when they go.
            foreach (var frame in frames)
                ((Task)frame).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }
    }

    private static Frame Finished(Queue<Task<Frame>> frames)
    {
        // Stays in the queue while it is waited for, so that it is waited for in any case.
        var frame = frames.Peek().GetAwaiter().GetResult();
        frames.Dequeue();
        return frame;
    }

    private static void EnqueueZeros(Queue<Task<Frame>> frames, long zeros)
    {
        foreach (var frame in ZeroFrame.Of(zeros))
            frames.Enqueue(Task.FromResult(new Frame(null, frame)));
    }

    /// <summary>Tells blocks of zeros from the rest.</summary>
    private static IEnumerable<ContentSegment> Runs(ReadOnlyMemory<byte> data)
    {
        while (data.Length > 0)
        {
            var isZero = IsZero(data);
            var length = 0;
            do
                length += Math.Min(ZeroBlock, data.Length - length);
            while (length < data.Length && IsZero(data[length..]) == isZero);
            yield return isZero ? new ContentSegment(default, length) : new ContentSegment(data[..length], 0);
            data = data[length..];
        }
    }

    private static bool IsZero(ReadOnlyMemory<byte> data) => !data.Span[..Math.Min(ZeroBlock, data.Length)].ContainsAnyExcept((byte)0);

    /// <param name="Rented">Goes back to the pool with the frame.</param>
    /// <param name="Bytes">The bytes.</param>
    private sealed record Frame(byte[]? Rented, ReadOnlyMemory<byte> Bytes) : IDisposable
    {
        internal static Frame CopyOf(ReadOnlySpan<byte> data)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(data.Length);
            data.CopyTo(buffer);
            return new Frame(buffer, buffer.AsMemory(0, data.Length));
        }

        public void Dispose()
        {
            if (Rented is not null)
                ArrayPool<byte>.Shared.Return(Rented);
        }
    }

    private sealed class Compressors(int level) : IDisposable
    {
        private readonly ConcurrentBag<Compressor> _idle = [];

        internal Frame Compress(Frame content)
        {
            using (content)
            {
                if (!_idle.TryTake(out var compressor))
                    compressor = new Compressor(level);
                var buffer = ArrayPool<byte>.Shared.Rent(Compressor.GetCompressBound(content.Bytes.Length));
                var length = compressor.Wrap(content.Bytes.Span, buffer);
                _idle.Add(compressor);
                return new Frame(buffer, buffer.AsMemory(0, length));
            }
        }

        public void Dispose()
        {
            foreach (var compressor in _idle)
                compressor.Dispose();
        }
    }
}
