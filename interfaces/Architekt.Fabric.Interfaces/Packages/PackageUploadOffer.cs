namespace Architekt.Fabric;

/// <summary>Where a package can be sent to that a host lacks: writable NBD exports, for as long as somebody keeps them open.</summary>
/// <param name="Token">Stands for this offer; keep it to yourself.</param>
/// <param name="Address">IP address of the NBD server.</param>
/// <param name="Port">Its TCP port.</param>
/// <param name="Exports">The names of the exports, by the names of the entries; they cannot be guessed.</param>
/// <param name="Missing">What is to be sent: all of it, or what an interrupted attempt has left.</param>
/// <param name="Package">The package, when the host has it already: then there is nothing to send, and nothing else in the offer.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-upload-offer")]
public sealed record PackageUploadOffer(
    string Token, string Address, int Port, IReadOnlyDictionary<string, string> Exports, IReadOnlyList<PackageGap> Missing, PackageInfo? Package);
