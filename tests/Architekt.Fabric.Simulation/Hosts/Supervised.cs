using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>A peer this silo started or found again.</summary>
internal sealed class Supervised(SimPeer peer)
{
    private readonly TaskCompletionSource _ended = new();

    public SimPeer Peer => peer;

    public Task Ended => _ended.Task;

    public void MarkEnded() => _ended.TrySetResult();
}
