using System.Net;
using System.Net.Sockets;

namespace Architekt.Fabric.Nbd;

/// <summary>One connection to one export. See <see cref="INbdClient"/>.</summary>
public sealed class NbdClient : INbdClient
{
    /// <summary>Longest trim or fast zeroing in one request.</summary>
    private const long MaxUnboundedPiece = 1L << 30;

    private readonly ClientConnection _connection;
    private readonly bool _zeroesLimited;

    private NbdClient(ClientConnection connection, ClientHandshake handshake)
    {
        _connection = connection;
        _zeroesLimited = handshake.HasBlockSizes;
        Size = handshake.Size;
        Flags = handshake.Flags;
        BlockSizes = handshake.BlockSizes;
        CanGetExtents = handshake.AllocationContextId is not null;
        HasStructuredReplies = handshake.StructuredReplies;
    }

    /// <inheritdoc/>
    public long Size { get; }

    /// <inheritdoc/>
    public NbdFeatures Flags { get; }

    /// <inheritdoc/>
    public NbdBlockSizes BlockSizes { get; }

    /// <inheritdoc/>
    public bool CanGetExtents { get; }

    /// <summary>True when the server gives structured replies.</summary>
    public bool HasStructuredReplies { get; }

    /// <summary>Requests that wait for their reply.</summary>
    public int InFlight => _connection.InFlight;

    /// <summary>False when the connection is lost or closed.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <summary>Connects and opens an export. Throws <see cref="NbdConnectionException"/> when nobody answers or the server refuses.</summary>
    public static Task<NbdClient> ConnectAsync(EndPoint endPoint, string exportName, NbdClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(exportName);
        options ??= new NbdClientOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxRequestsInFlight, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxRequestsInFlight, 4096, nameof(options));
        return HandshakeAsync(
            endPoint,
            options,
            async (transport, input, handshake, timeout) =>
            {
                await handshake.OpenAsync(exportName, options, timeout).ConfigureAwait(false);
                return new NbdClient(new ClientConnection(transport, input, handshake, exportName, options), handshake);
            },
            cancellationToken);
    }

    /// <summary>Lists what a server exports and does not hide.</summary>
    public static Task<IReadOnlyList<NbdExportInfo>> ListAsync(EndPoint endPoint, NbdClientOptions? options = null, CancellationToken cancellationToken = default) =>
        HandshakeAsync<IReadOnlyList<NbdExportInfo>>(
            endPoint,
            options ?? new NbdClientOptions(),
            static async (transport, _, handshake, timeout) =>
            {
                var exports = await handshake.ListAsync(timeout).ConfigureAwait(false);
                transport.Abort();
                return exports;
            },
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.IsEmpty)
            return ValueTask.CompletedTask;
        return destination.Length <= BlockSizes.Maximum
            ? _connection.SubmitAsync(NbdCommand.Read, NbdCommandFlags.None, offset, destination.Length, destination, default, null, cancellationToken)
            : PieceByPiece.ReadAsync(this, offset, destination, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, bool fua = false, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (RefusedWrite(NbdFeatures.None) is { } refused)
            return ValueTask.FromException(refused);
        if (source.IsEmpty)
            return ValueTask.CompletedTask;
        if (fua && !Flags.HasFlag(NbdFeatures.ForceUnitAccess))
            return ThenFlushAsync(WriteAsync(offset, source, fua: false, cancellationToken), cancellationToken);
        return source.Length <= BlockSizes.Maximum
            ? _connection.SubmitAsync(NbdCommand.Write, Fua(fua), offset, source.Length, default, source, null, cancellationToken)
            : PieceByPiece.WriteAsync(this, offset, source, fua, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => Flags.HasFlag(NbdFeatures.Flush)
        ? _connection.SubmitAsync(NbdCommand.Flush, NbdCommandFlags.None, 0, 0, default, default, null, cancellationToken)
        : ValueTask.FromException(NotOffered(NbdFeatures.Flush));

    /// <inheritdoc/>
    public ValueTask TrimAsync(long offset, long length, bool fua = false, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        if (RefusedWrite(NbdFeatures.Trim) is { } refused)
            return ValueTask.FromException(refused);
        if (length == 0)
            return ValueTask.CompletedTask;
        if (fua && !Flags.HasFlag(NbdFeatures.ForceUnitAccess))
            return ThenFlushAsync(TrimAsync(offset, length, fua: false, cancellationToken), cancellationToken);
        return length <= MaxUnboundedPiece
            ? _connection.SubmitAsync(NbdCommand.Trim, Fua(fua), offset, length, default, default, null, cancellationToken)
            : PieceByPiece.TrimAsync(this, offset, length, MaxUnboundedPiece, fua, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask WriteZeroesAsync(long offset, long length, NbdZeroOptions options = NbdZeroOptions.None, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        var onlyIfFast = options.HasFlag(NbdZeroOptions.OnlyIfFast);
        if (RefusedWrite(onlyIfFast ? NbdFeatures.FastZero : NbdFeatures.WriteZeroes) is { } refused)
            return ValueTask.FromException(refused);
        if (length == 0)
            return ValueTask.CompletedTask;
        var fua = options.HasFlag(NbdZeroOptions.ForceUnitAccess);
        if (fua && !Flags.HasFlag(NbdFeatures.ForceUnitAccess))
            return ThenFlushAsync(WriteZeroesAsync(offset, length, options & ~NbdZeroOptions.ForceUnitAccess, cancellationToken), cancellationToken);

        // proto.md, "Block size constraints": an advertised maximum holds for zeroing too, unless it is fast.
        var limit = _zeroesLimited && !onlyIfFast ? BlockSizes.Maximum : MaxUnboundedPiece;
        var flags = Fua(fua)
            | (options.HasFlag(NbdZeroOptions.NoHole) ? NbdCommandFlags.NoHole : NbdCommandFlags.None)
            | (onlyIfFast ? NbdCommandFlags.FastZero : NbdCommandFlags.None);
        return length <= limit
            ? _connection.SubmitAsync(NbdCommand.WriteZeroes, flags, offset, length, default, default, null, cancellationToken)
            : PieceByPiece.ZeroAsync(this, offset, length, limit, options, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<NbdExtent>> GetExtentsAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        if (!CanGetExtents)
            throw new NbdClientException(NbdError.NotSupported, $"The NBD server does not tell the allocation of export '{_connection.ExportName}': base:allocation was not negotiated.");

        var all = new List<NbdExtent>();
        var part = new List<NbdExtent>();
        for (var at = offset; at < offset + length;)
        {
            part.Clear();
            var asked = Math.Min(offset + length - at, MaxUnboundedPiece);
            await _connection.SubmitAsync(NbdCommand.BlockStatus, NbdCommandFlags.None, at, asked, default, default, part, cancellationToken).ConfigureAwait(false);
            foreach (var extent in part)
            {
                // The last one may reach beyond what was asked for.
                var taken = Math.Min(extent.Length, offset + length - at);
                if (taken <= 0)
                    break;
                if (all.Count > 0 && all[^1].State == extent.State)
                    all[^1] = all[^1] with { Length = all[^1].Length + taken };
                else
                    all.Add(new NbdExtent(at, taken, extent.State));
                at += taken;
            }
        }

        return all;
    }

    /// <inheritdoc/>
    public void Cork() => _connection.Cork();

    /// <inheritdoc/>
    public void Uncork() => _connection.Uncork();

    /// <summary>Says goodbye to the server and closes the connection. Pending requests get their reply if it comes within two seconds.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static NbdCommandFlags Fua(bool fua) => fua ? NbdCommandFlags.ForceUnitAccess : NbdCommandFlags.None;

    private static void CheckRange(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, long.MaxValue - offset);
    }

    private static async Task<T> HandshakeAsync<T>(
        EndPoint endPoint,
        NbdClientOptions options,
        Func<NbdTransport, InboundBuffer, ClientHandshake, CancellationToken, Task<T>> then,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var socket = endPoint.AddressFamily == AddressFamily.Unix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, either.Token).ConfigureAwait(false);
            var transport = new SocketTransport(socket);
            var input = new InboundBuffer(transport);
            var handshake = new ClientHandshake(transport, input, endPoint.ToString() ?? "");
            await handshake.GreetAsync(either.Token).ConfigureAwait(false);
            return await then(transport, input, handshake, either.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw exception switch
            {
                NbdConnectionException => exception,
                OperationCanceledException => new NbdConnectionException($"The NBD server at {endPoint} did not answer within {options.ConnectTimeout.TotalSeconds:0.#} s.", exception),
                SocketException => new NbdConnectionException($"No connection to an NBD server at {endPoint}: {exception.Message}. Check that it runs and listens there.", exception),
                _ => new NbdConnectionException($"The handshake with the NBD server at {endPoint} failed: {exception.Message}", exception),
            };
        }
    }

    private async ValueTask ThenFlushAsync(ValueTask write, CancellationToken cancellationToken)
    {
        await write.ConfigureAwait(false);
        await FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private NbdClientException? RefusedWrite(NbdFeatures needed)
    {
        if (Flags.HasFlag(NbdFeatures.ReadOnly))
            return new NbdClientException(NbdError.NotPermitted, $"NBD export '{_connection.ExportName}' is read-only.");
        return Flags.HasFlag(needed) ? null : NotOffered(needed);
    }

    private NbdClientException NotOffered(NbdFeatures needed) =>
        new(NbdError.NotSupported, $"The NBD server does not offer {needed} for export '{_connection.ExportName}'.");
}
