namespace Architekt.Fabric.Client;

/// <summary>A handle on something long that the fabric does. That does not depend on the handle: dropping it stops nothing.</summary>
public abstract class FabricOperation
{
    private readonly FabricClient? _client;
    private readonly FabricClientOptions? _options;

    private protected FabricOperation(FabricClient? client, FabricClientOptions? options, string id, OperationInfo? started)
    {
        _client = client;
        _options = options;
        Id = id;
        Started = started;
    }

    /// <summary>The operation's id.</summary>
    public string Id { get; }

    /// <summary>What was accepted, if this handle started it; null from a handle on one that was started earlier.</summary>
    public OperationInfo? Started { get; }

    private protected FabricClient Client => _client ?? throw MadeForMocks();

    private protected FabricClientOptions Options => _options ?? throw MadeForMocks();

    /// <summary>Cancels it. Fails with <see cref="FabricErrorCode.Conflict"/> once that is too late.</summary>
    public abstract Task CancelAsync(CancellationToken cancellationToken = default);

    private static InvalidOperationException MadeForMocks() =>
        new("This handle was made by its constructor for mocks; override the member that is being called.");
}
