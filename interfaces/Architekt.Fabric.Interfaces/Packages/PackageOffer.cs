namespace Architekt.Fabric;

/// <summary>A package that a host serves over NBD for a while.</summary>
/// <param name="Token">Stands for this offer; keep it to yourself.</param>
/// <param name="Digest">The package's digest.</param>
/// <param name="Address">IP address of the NBD server.</param>
/// <param name="Port">Its TCP port.</param>
/// <param name="Manifest">The manifest; its SHA-256 is the digest.</param>
/// <param name="Exports">The names of the read-only exports, by the names of the entries; they cannot be guessed.</param>
[GenerateSerializer, Immutable]
[Alias("architekt.package-offer")]
public sealed record PackageOffer(string Token, string Digest, string Address, int Port, byte[] Manifest, IReadOnlyDictionary<string, string> Exports)
{
    /// <summary>How long a host serves an offer that nobody asks to keep open.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);
}
