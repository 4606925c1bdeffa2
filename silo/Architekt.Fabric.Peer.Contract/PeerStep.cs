namespace Architekt.Fabric.Peer;

/// <summary>Body of the calls that name a migration: suspend, switch, loaded, rollback, release, discard.</summary>
/// <param name="Operation">The migration.</param>
/// <param name="Verify">For switch: digest the RAM while stopped.</param>
/// <param name="WaitMs">For loaded: how long to wait.</param>
/// <param name="KeepMemory">For release: where to keep the guest's RAM, on the instance folder's file system; null deletes it. Replaces what is there.</param>
public sealed record PeerStep(string Operation, bool Verify = false, int WaitMs = 0, string? KeepMemory = null);
