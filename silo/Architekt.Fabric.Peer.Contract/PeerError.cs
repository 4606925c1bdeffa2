namespace Architekt.Fabric.Peer;

/// <summary>Body of every answer that is not a success.</summary>
/// <param name="Code">Kind of failure, named like the fabric's codes.</param>
/// <param name="Message">One sentence.</param>
public sealed record PeerError(string Code, string Message);
