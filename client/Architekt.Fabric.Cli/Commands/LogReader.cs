using Architekt.Fabric.Client;

namespace Architekt.Fabric.Cli.Commands;

/// <summary>Reads what a console log holds now.</summary>
internal sealed class LogReader(FabricClient client, string vm, CancellationToken cancellationToken)
{
    // A console line is rarely longer; when the guess is too small, four times as much is read.
    private const int BytesPerLine = 200;

    /// <summary>Hands on the log, or its last <paramref name="lines"/> lines; returns the offset behind it.</summary>
    public async Task<long> ReadAsync(long? lines, Action<ReadOnlyMemory<byte>, long> write)
    {
        if (lines is null) return await ReadFromAsync(0, write).ConfigureAwait(false);
        if (lines == 0) return (await client.ReadLogAsync(vm, -1, default, cancellationToken).ConfigureAwait(false)).NextOffset;
        for (var guess = Math.Max(4096, lines.Value * BytesPerLine); ; guess *= 4)
        {
            var log = new MemoryStream();
            long epoch = 0;
            var end = await ReadFromAsync(
                -guess,
                (data, pieceEpoch) =>
                {
                    epoch = pieceEpoch;
                    log.Write(data.Span);
                }).ConfigureAwait(false);
            var start = end - log.Length;
            var (first, isComplete) = StartOfLastLines(log.GetBuffer().AsSpan(0, (int)log.Length), lines.Value);
            if (!isComplete && start > 0) continue;
            write(log.GetBuffer().AsMemory(first, (int)log.Length - first), epoch);
            return end;
        }
    }

    private async Task<long> ReadFromAsync(long offset, Action<ReadOnlyMemory<byte>, long> write)
    {
        while (true)
        {
            var piece = await client.ReadLogAsync(vm, offset, default, cancellationToken).ConfigureAwait(false);
            if (piece.Data.Length == 0) return piece.NextOffset;
            write(piece.Data, piece.Epoch);
            offset = piece.NextOffset;
        }
    }

    private static (int First, bool IsComplete) StartOfLastLines(ReadOnlySpan<byte> log, long lines)
    {
        // A newline at the very end closes the last line; it does not begin another.
        var end = log.Length > 0 && log[^1] == '\n' ? log.Length - 1 : log.Length;
        while (true)
        {
            end = log[..end].LastIndexOf((byte)'\n');
            if (end < 0) return (0, false);
            if (--lines == 0) return (end + 1, true);
        }
    }
}
