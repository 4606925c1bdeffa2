namespace Architekt.Fabric.Nbd;

/// <summary>Carries out a long request as several, a few at a time. Apart from the requests themselves, which then need no closures and no allocation.</summary>
internal static class PieceByPiece
{
    private const int AtATime = 8;

    public static ValueTask ReadAsync(INbdClient client, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync(offset, destination.Length, client.BlockSizes.Maximum, (at, length) => client.ReadAsync(at, destination.Slice((int)(at - offset), (int)length), cancellationToken));

    public static ValueTask WriteAsync(INbdClient client, long offset, ReadOnlyMemory<byte> source, bool fua, CancellationToken cancellationToken) =>
        RunAsync(offset, source.Length, client.BlockSizes.Maximum, (at, length) => client.WriteAsync(at, source.Slice((int)(at - offset), (int)length), fua, cancellationToken));

    public static ValueTask TrimAsync(INbdClient client, long offset, long length, long limit, bool fua, CancellationToken cancellationToken) =>
        RunAsync(offset, length, limit, (at, piece) => client.TrimAsync(at, piece, fua, cancellationToken));

    public static ValueTask ZeroAsync(INbdClient client, long offset, long length, long limit, NbdZeroOptions options, CancellationToken cancellationToken) =>
        RunAsync(offset, length, limit, (at, piece) => client.WriteZeroesAsync(at, piece, options, cancellationToken));

    /// <summary>Ends when every piece that was started has ended, so that the caller's memory is free; throws the first failure.</summary>
    private static async ValueTask RunAsync(long offset, long length, long pieceLength, Func<long, long, ValueTask> run)
    {
        var running = new Queue<Task>(AtATime);
        try
        {
            for (var at = offset; at < offset + length; at += pieceLength)
            {
                if (running.Count == AtATime)
                    await running.Dequeue().ConfigureAwait(false);
                running.Enqueue(run(at, Math.Min(pieceLength, offset + length - at)).AsTask());
            }
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }
}
