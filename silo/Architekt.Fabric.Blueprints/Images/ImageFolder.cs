namespace Architekt.Fabric.Blueprints.Images;

/// <summary>An image layout that is a folder.</summary>
/// <param name="folder">The folder.</param>
internal sealed class ImageFolder(string folder) : IImageFiles
{
    /// <inheritdoc/>
    public string Source => folder;

    /// <inheritdoc/>
    public bool Has(string path) => File.Exists(Path.Combine(folder, path));

    /// <inheritdoc/>
    public Stream Open(string path)
    {
        try
        {
            return File.OpenRead(Path.Combine(folder, path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new BlueprintException(BlueprintErrorCode.NotFound, $"The image in {folder} lacks its file {path}: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
