using System.Security.Cryptography;

namespace Architekt.Fabric.Packages;

/// <summary>The SHA-256 of an entry's content. Zeros are digested like any other bytes: the digest is the one that sha256sum would give.</summary>
/// <param name="done">Told how many bytes have been digested, at most a MiB at a time.</param>
/// <param name="cancellationToken">Looked at once per MiB.</param>
internal sealed class ContentDigest(Action<long> done, CancellationToken cancellationToken) : IDisposable
{
    private static readonly byte[] _zeros = new byte[ContentSegment.MaxData];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    internal void Append(ContentSegment segment)
    {
        if (segment.Data.Length > 0)
            Append(segment.Data.Span);
        for (var left = segment.Zeros; left > 0; left -= _zeros.Length)
            Append(_zeros.AsSpan(0, (int)Math.Min(_zeros.Length, left)));
    }

    /// <summary>Compares what was appended with what the manifest says.</summary>
    /// <param name="entry">The entry it was.</param>
    /// <param name="source">Where it was read from.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.DigestMismatch"/>.</exception>
    internal void Check(PackageEntry entry, string source)
    {
        var digest = Convert.ToHexStringLower(_hash.GetHashAndReset());
        if (digest == entry.Sha256)
            return;
        throw new PackageException(
            PackageErrorCode.DigestMismatch,
            $"The entry '{entry.Name}' in {source} is damaged: its SHA-256 is {digest}, the manifest says {entry.Sha256}. Get or build the package again.");
    }

    public void Dispose() => _hash.Dispose();

    private void Append(ReadOnlySpan<byte> data)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _hash.AppendData(data);
        done(data.Length);
    }
}
