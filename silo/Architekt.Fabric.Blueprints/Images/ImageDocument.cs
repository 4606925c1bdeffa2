using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>Reads an image's JSON documents.</summary>
internal static class ImageDocument
{
    // What registries accept (distribution-spec asks for at least that much of a manifest).
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Reads a blob and checks it.</summary>
    /// <exception cref="BlueprintException">It is missing, not what its descriptor says, or no such document.</exception>
    internal static Task<T> ReadBlobAsync<T>(IImageFiles files, Descriptor descriptor, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        ReadAsync(files, BlobDigest.PathOf(descriptor.Digest), descriptor.Digest, type, cancellationToken);

    /// <param name="files">The image's files.</param>
    /// <param name="path">The document's.</param>
    /// <param name="digest">What it must have; null for any.</param>
    /// <param name="type">What it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BlueprintException">It is missing, not what its digest says, or no such document.</exception>
    internal static async Task<T> ReadAsync<T>(IImageFiles files, string path, string? digest, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        await using var stream = files.Open(path);
        using var content = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            content.Write(buffer, 0, count);
            if (content.Length > MaxBytes)
                throw new BlueprintException(BlueprintErrorCode.Invalid, $"{path} in {files.Source} is longer than {MaxBytes} bytes.");
        }

        var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        if (digest is not null && BlobDigest.Of(bytes) is var actual && actual != digest)
            throw Mismatch(files, path, digest, actual);
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("it is null.");
        }
        catch (JsonException error)
        {
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"{path} in {files.Source} is not what it must be: {error.Message}", error);
        }
    }

    internal static BlueprintException Mismatch(IImageFiles files, string path, string expected, string actual) =>
        new(BlueprintErrorCode.DigestMismatch, $"{path} in {files.Source} has the digest {actual}, but must have {expected}: it is damaged; get the image again.");
}
