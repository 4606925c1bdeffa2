namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Disposes of something unless it has found its owner.</summary>
internal sealed class Owned<T>(T value) : IDisposable
    where T : class, IDisposable
{
    private bool _isKept;

    internal T Value => value;

    /// <summary>Its owner is now <paramref name="owner"/>, which is returned.</summary>
    internal TOwner Keep<TOwner>(TOwner owner)
    {
        _isKept = true;
        return owner;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isKept)
            value.Dispose();
    }
}
