using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>A VM the fabric runs.</summary>
/// <param name="Folder">Its instance folder.</param>
/// <param name="Machine">What it is.</param>
/// <param name="Processes">What runs it.</param>
internal sealed record RunningInstance(string Folder, PeerInstance Machine, PeerIdentity Processes)
{
    /// <summary>When its silo started the peer: what it must know is written right before.</summary>
    public DateTime StartedAt => File.GetLastWriteTimeUtc(Path.Combine(Folder, PeerApi.InstanceFile));
}
