using System.Runtime.CompilerServices;

namespace Architekt.Fabric.Qemu;

/// <summary>Reads the log of a machine's console while QEMU writes it.</summary>
public static class ConsoleLog
{
    private const int BlockSize = 16 * 1024;

    private static readonly TimeSpan _pollInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Where the last <paramref name="lines"/> lines begin, as an offset in bytes; 0 if there are fewer, or no file. A line not yet ended counts.</summary>
    public static async Task<long> FindTailAsync(string path, int lines, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lines);
        await using var file = Open(path);
        if (file is null) return 0;
        if (lines == 0) return file.Length;
        var buffer = new byte[BlockSize];
        var (position, seen) = (file.Length, 0);
        while (position > 0)
        {
            var size = (int)Math.Min(BlockSize, position);
            file.Position = position - size;
            await file.ReadExactlyAsync(buffer.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
            for (var i = size - 1; i >= 0; i--)
            {
                // The newline at the very end closes the last line and does not begin another.
                if (buffer[i] == '\n' && position - size + i != file.Length - 1 && ++seen == lines) return position - size + i + 1;
            }
            position -= size;
        }
        return 0;
    }

    /// <summary>The last <paramref name="lines"/> lines as they are; empty if there is no file.</summary>
    public static async Task<byte[]> ReadTailAsync(string path, int lines, CancellationToken cancellationToken)
    {
        var start = await FindTailAsync(path, lines, cancellationToken).ConfigureAwait(false);
        await using var file = Open(path);
        if (file is null || file.Length <= start) return [];
        file.Position = start;
        // What QEMU adds meanwhile belongs to whoever follows.
        var result = new byte[file.Length - start];
        var read = await file.ReadAtLeastAsync(result, result.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return result[..read];
    }

    /// <summary>
    /// Everything from <paramref name="offset"/> (see <see cref="FindTailAsync"/>) on, and what comes, until cancelled. Waits for a file that does not
    /// exist yet and begins again with one that was truncated or replaced by a shorter one. Looks every 100 ms. A piece is valid until the next is asked for.
    /// </summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> FollowAsync(
        string path, long offset, TimeProvider timeProvider, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[BlockSize];
        while (true)
        {
            await using (var file = Open(path))
            {
                if (file is not null)
                {
                    if (file.Length < offset) offset = 0;
                    file.Position = offset;
                    int count;
                    while ((count = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                    {
                        offset += count;
                        yield return buffer.AsMemory(0, count);
                    }
                }
            }
            await Task.Delay(_pollInterval, timeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
