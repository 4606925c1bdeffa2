using System.Net;

namespace Architekt.Fabric.Nbd;

/// <summary>
/// Several connections to one export with the requests spread over them. Only servers that promise that a flush on one connection covers the completed
/// writes of all (<see cref="NbdFeatures.MultiConnection"/>) get more than one connection, so <see cref="FlushAsync"/> and force unit access mean what they mean on a
/// single one. When one connection is lost, no further request is taken: what it had in work is unknown.
/// </summary>
public sealed class NbdMultiConnection : INbdClient
{
    private readonly NbdClient[] _clients;
    private int _turn;

    private NbdMultiConnection(NbdClient[] clients) => _clients = clients;

    /// <summary>Connections that are used.</summary>
    public int ConnectionCount => _clients.Length;

    /// <inheritdoc/>
    public long Size => _clients[0].Size;

    /// <inheritdoc/>
    public NbdFeatures Flags => _clients[0].Flags;

    /// <inheritdoc/>
    public NbdBlockSizes BlockSizes => _clients[0].BlockSizes;

    /// <inheritdoc/>
    public bool CanGetExtents => _clients[0].CanGetExtents;

    /// <summary>Opens <paramref name="connections"/> connections, or one when the server does not promise what several need.</summary>
    public static async Task<NbdMultiConnection> ConnectAsync(
        EndPoint endPoint,
        string exportName,
        int connections,
        NbdClientOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(connections, 1);
        var clients = new List<NbdClient>(connections);
        try
        {
            do
                clients.Add(await NbdClient.ConnectAsync(endPoint, exportName, options, cancellationToken).ConfigureAwait(false));
            while (clients.Count < connections && clients[0].Flags.HasFlag(NbdFeatures.MultiConnection));

            if (clients.Any(client => client.Size != clients[0].Size || client.Flags != clients[0].Flags))
                throw new NbdConnectionException($"The NBD server at {endPoint} describes export '{exportName}' differently on each connection; use a single one.");
            return new NbdMultiConnection([.. clients]);
        }
        catch
        {
            foreach (var client in clients)
                await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        destination.Length <= BlockSizes.Maximum
            ? Next().ReadAsync(offset, destination, cancellationToken)
            : PieceByPiece.ReadAsync(this, offset, destination, cancellationToken);

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, bool fua = false, CancellationToken cancellationToken = default) =>
        source.Length <= BlockSizes.Maximum
            ? Next().WriteAsync(offset, source, fua, cancellationToken)
            : PieceByPiece.WriteAsync(this, offset, source, fua, cancellationToken);

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => Next().FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask TrimAsync(long offset, long length, bool fua = false, CancellationToken cancellationToken = default) =>
        Next().TrimAsync(offset, length, fua, cancellationToken);

    /// <inheritdoc/>
    public ValueTask WriteZeroesAsync(long offset, long length, NbdZeroOptions options = NbdZeroOptions.None, CancellationToken cancellationToken = default) =>
        Next().WriteZeroesAsync(offset, length, options, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<NbdExtent>> GetExtentsAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        Next().GetExtentsAsync(offset, length, cancellationToken);

    /// <inheritdoc/>
    public void Cork()
    {
        foreach (var client in _clients)
            client.Cork();
    }

    /// <inheritdoc/>
    public void Uncork()
    {
        foreach (var client in _clients)
            client.Uncork();
    }

    /// <summary>Closes every connection.</summary>
    public async ValueTask DisposeAsync() => await Task.WhenAll(_clients.Select(client => client.DisposeAsync().AsTask())).ConfigureAwait(false);

    /// <summary>The least busy connection, in turn among equals; the lost one if there is one, for its error.</summary>
    private NbdClient Next()
    {
        var start = (int)((uint)Interlocked.Increment(ref _turn) % (uint)_clients.Length);
        var best = _clients[start];
        for (var i = 0; i < _clients.Length; i++)
        {
            var candidate = _clients[(start + i) % _clients.Length];
            if (!candidate.IsOpen)
                return candidate;
            if (candidate.InFlight < best.InFlight)
                best = candidate;
        }

        return best;
    }
}
