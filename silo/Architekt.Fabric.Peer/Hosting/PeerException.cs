namespace Architekt.Fabric.Peer.Hosting;

/// <summary>A refusal or failure the peer answers with.</summary>
/// <param name="code">Named like the fabric's error codes.</param>
/// <param name="message">One sentence.</param>
internal sealed class PeerException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;

    public static PeerException Conflict(string message) => new("Conflict", message);

    public static PeerException Failed(string message) => new("Failed", message);

    public static PeerException Refused(string message) => new("Refused", message);
}
