using System.Net;
using Orleans.Messaging;

namespace Architekt.Fabric.Client.Connection;

/// <summary>
/// The gateways Orleans may use. Until the client has started that is the one known to answer, so that a dead one
/// does not cost a connect timeout; from then on all of them, so that the client outlives any of them.
/// </summary>
internal sealed class GatewayList(IReadOnlyList<IPEndPoint> endpoints) : IGatewayListProvider
{
    private volatile bool _isStarted;

    public TimeSpan MaxStaleness => TimeSpan.FromSeconds(10);

    public bool IsUpdatable => true;

    public void OfferAll() => _isStarted = true;

    public Task InitializeGatewayListProvider() => Task.CompletedTask;

    public Task<IList<Uri>> GetGateways() =>
        Task.FromResult<IList<Uri>>([.. endpoints.Take(_isStarted ? endpoints.Count : 1).Select(endpoint => endpoint.ToGatewayUri())]);
}
