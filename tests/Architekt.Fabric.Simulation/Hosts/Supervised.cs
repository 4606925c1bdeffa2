using Architekt.Fabric.Peer;
using Architekt.Fabric.Simulation.Peers;

namespace Architekt.Fabric.Simulation.Hosts;

/// <summary>A peer this silo started or found again.</summary>
internal sealed class Supervised(SimPeer peer, bool isFound = false)
{
    private readonly TaskCompletionSource _ended = new();
    private bool _wasIdle;

    public SimPeer Peer => peer;

    public Task Ended => _ended.Task;

    /// <summary>As in <c>SupervisedPeer</c>.</summary>
    public bool IsForsaken(PeerStatus? status)
    {
        var wasIdle = _wasIdle;
        _wasIdle = status is { State: PeerState.Idle };
        return isFound && wasIdle && _wasIdle;
    }

    public void MarkEnded() => _ended.TrySetResult();
}
