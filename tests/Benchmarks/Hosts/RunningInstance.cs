using Architekt.Fabric.Peer;

namespace Architekt.Fabric.Benchmarks.Hosts;

/// <summary>A VM the fabric runs.</summary>
/// <param name="Folder">Its instance folder.</param>
/// <param name="Machine">What it is.</param>
/// <param name="Processes">What runs it.</param>
internal sealed record RunningInstance(string Folder, PeerInstance Machine, PeerIdentity Processes);
