using Architekt.Fabric.Client.Connection;

namespace Architekt.Fabric.Client;

/// <summary>
/// A fabric, seen from outside. One instance serves a whole application and any number of threads.
/// Every method fails with a <see cref="FabricException"/>: <see cref="FabricErrorCode.Unavailable"/> when the fabric cannot be reached,
/// <see cref="FabricErrorCode.Timeout"/> when an answer did not come in time (what was asked may still happen), otherwise what the fabric says.
/// </summary>
/// <remarks>All members are virtual and there is a protected constructor, so that a test can put its own client in the place of this one.</remarks>
public partial class FabricClient : IAsyncDisposable
{
    private readonly FabricConnection? _connection;

    /// <summary>For mocks: a client without a connection.</summary>
    protected FabricClient()
    {
    }

    /// <summary>Creates a client that connects when it is first used.</summary>
    public FabricClient(FabricClientOptions options) => _connection = new FabricConnection(options);

    private FabricConnection Connection => _connection
        ?? throw new InvalidOperationException("This FabricClient was made by its constructor for mocks; override the member that is being called.");

    /// <summary>Connects to a fabric.</summary>
    /// <param name="options">How to reach it; null takes the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="FabricException"><see cref="FabricErrorCode.Unavailable"/>, with the gateways that were tried, within <see cref="FabricClientOptions.ConnectTimeout"/>.</exception>
    public static async Task<FabricClient> ConnectAsync(FabricClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        var client = new FabricClient(options ?? new FabricClientOptions());
        try
        {
            await client.Connection.GetAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Leaves the fabric. Operations that were started go on.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }
}
