namespace Architekt.Fabric.Nbd.Tests;

/// <summary>An export over an array, without direct memory access, that can be held, counted and made to fail.</summary>
internal sealed class TestExport(string name, int size) : INbdExport
{
    private int _flushes;
    private int _inWork;

    public byte[] Data { get; } = new byte[size];

    public string Name { get; } = name;

    public long Size => Data.Length;

    public bool IsReadOnly { get; init; }

    public string? Description { get; init; }

    public bool IsListed { get; init; } = true;

    public bool CanMultiConn { get; init; }

    public bool CanFastZero { get; init; }

    /// <summary>Runs before every command.</summary>
    public Func<CancellationToken, Task<NbdError>>? Before { get; set; }

    public int Flushes => Volatile.Read(ref _flushes);

    /// <summary>Commands that are being executed now.</summary>
    public int InWork => Volatile.Read(ref _inWork);

    public ValueTask<NbdError> ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync(() => Data.AsSpan((int)offset, destination.Length).CopyTo(destination.Span), cancellationToken);

    public ValueTask<NbdError> WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
        RunAsync(() => source.Span.CopyTo(Data.AsSpan((int)offset)), cancellationToken);

    public ValueTask<NbdError> FlushAsync(CancellationToken cancellationToken) => RunAsync(() => Interlocked.Increment(ref _flushes), cancellationToken);

    public ValueTask<NbdError> TrimAsync(long offset, long length, CancellationToken cancellationToken) => RunAsync(() => { }, cancellationToken);

    public ValueTask<NbdError> WriteZeroesAsync(long offset, long length, bool mayPunchHole, CancellationToken cancellationToken) =>
        RunAsync(() => Data.AsSpan((int)offset, (int)length).Clear(), cancellationToken);

    public ValueTask<NbdError> GetExtentsAsync(long offset, long length, IList<NbdExtent> extents, CancellationToken cancellationToken) =>
        RunAsync(
            () =>
            {
                // Blocks of 4 KiB that are all zero count as holes; neighbours are left for the server to join.
                for (var at = offset; at < offset + length;)
                {
                    var end = Math.Min((at / 4096 * 4096) + 4096, Size);
                    var zero = Data.AsSpan((int)at, (int)(end - at)).IndexOfAnyExcept((byte)0) < 0;
                    extents.Add(new NbdExtent(at, end - at, zero ? NbdExtentState.Hole | NbdExtentState.Zero : NbdExtentState.Data));
                    at = end;
                }
            },
            cancellationToken);

    private async ValueTask<NbdError> RunAsync(Action action, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _inWork);
        try
        {
            if (Before is { } before)
            {
                var error = await before(cancellationToken);
                if (error != NbdError.None)
                    return error;
            }

            action();
            return NbdError.None;
        }
        finally
        {
            Interlocked.Decrement(ref _inWork);
        }
    }
}
