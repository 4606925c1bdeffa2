namespace Architekt.Fabric.Blueprints.Images;

/// <summary>The files an image is made of, wherever they are.</summary>
internal interface IImageFiles : IDisposable
{
    /// <summary>What it is, for error messages.</summary>
    string Source { get; }

    bool Has(string path);

    /// <exception cref="BlueprintException">There is no such file.</exception>
    Stream Open(string path);
}
