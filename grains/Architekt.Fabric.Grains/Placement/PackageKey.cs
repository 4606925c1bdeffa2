namespace Architekt.Fabric.Grains;

/// <summary>The key of a package's grain: <c>host/package</c>.</summary>
/// <param name="Host">The host.</param>
/// <param name="Package">The package's name there.</param>
public readonly record struct PackageKey(string Host, string Package)
{
    /// <summary>Takes a key apart. Throws <see cref="FabricErrorCode.InvalidArgument"/> if it is not one.</summary>
    public static PackageKey Parse(string key)
    {
        var slash = key.IndexOf('/');
        if (slash <= 0 || slash == key.Length - 1) throw FabricException.Invalid($"'{key}' is not a package's key: it must be host/package.");
        return new PackageKey(key[..slash], key[(slash + 1)..]);
    }

    /// <inheritdoc />
    public override string ToString() => $"{Host}/{Package}";
}
