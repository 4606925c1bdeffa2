namespace Architekt.Fabric.Peer;

/// <summary>Body of the calls that name a migration: suspend, switch, loaded, rollback, release, discard.</summary>
/// <param name="Operation">The migration.</param>
/// <param name="Verify">For switch: digest the RAM while stopped.</param>
/// <param name="WaitMs">For loaded: how long to wait.</param>
public sealed record PeerStep(string Operation, bool Verify = false, int WaitMs = 0);
