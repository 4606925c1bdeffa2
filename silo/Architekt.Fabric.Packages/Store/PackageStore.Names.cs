namespace Architekt.Fabric.Packages;

/// <content>Names and tags.</content>
public sealed partial class PackageStore
{
    /// <summary>Makes a further name stand for a package. A tag is part of a name: <c>redis</c> and <c>redis:1.2</c> are two names.</summary>
    /// <param name="reference">The package, as for <see cref="FindAsync"/>.</param>
    /// <param name="name">1 to 63 of a-z, 0-9, '.', '_' and '-'; then, if wanted, ':' and 1 to 63 of the same and A-Z.</param>
    /// <param name="move">Whether to take the name from another package that has it; that one stays, perhaps without a name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="PackageException">
    /// <see cref="PackageErrorCode.NotFound"/>, <see cref="PackageErrorCode.Invalid"/>, or <see cref="PackageErrorCode.Exists"/> for a name that stands for another package.
    /// </exception>
    public async Task<StoredPackage> TagAsync(string reference, string name, bool move, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireStoreName(name);
        using var taken = await LockAsync(cancellationToken);
        var digest = _reader.Resolve(reference) ?? throw StoreReader.NotFound(reference);
        if (!move)
            return Name(digest, name);
        _layout.WriteName(name, digest);
        return _reader.Load(digest);
    }

    /// <summary>Refuses a name that stands for another package; to be asked before work that ends with the name.</summary>
    /// <param name="name">The name, with its tag.</param>
    /// <param name="digest">What it is to stand for.</param>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.Invalid"/> or <see cref="PackageErrorCode.Exists"/>.</exception>
    public void RefuseTakenName(string name, string digest)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireStoreName(name);
        _reader.RefuseTakenName(name, digest);
    }

    /// <summary>Removes a name and leaves its package, which the next collection removes when it was the last name and nobody uses it.</summary>
    /// <param name="name">The name, with its tag.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The digest it stood for.</returns>
    /// <exception cref="PackageException"><see cref="PackageErrorCode.NotFound"/> or <see cref="PackageErrorCode.Invalid"/>.</exception>
    public async Task<string> UntagAsync(string name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireStoreName(name);
        using var taken = await LockAsync(cancellationToken);
        var digest = _layout.DigestOf(name) ?? throw StoreReader.NotFound(name);
        _layout.RemoveName(name);
        return digest;
    }
}
