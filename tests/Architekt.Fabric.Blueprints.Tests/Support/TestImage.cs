using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using ZstdSharp;

namespace Architekt.Fabric.Blueprints.Tests.Support;

/// <summary>Writes an OCI image layout.</summary>
internal sealed class TestImage
{
    private readonly JsonArray _layers = [];
    private readonly JsonArray _diffIds = [];

    internal TestImage(string folder)
    {
        Folder = folder;
        Directory.CreateDirectory(Path.Combine(folder, "blobs/sha256"));
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    internal string Folder { get; }

    internal string Architecture { get; init; } = "amd64";

    internal List<string> LayerFiles { get; } = [];

    internal TestImage AddLayer(byte[] tar, string compression = "gzip")
    {
        var content = compression switch
        {
            "gzip" => Gzip(tar),
            "zstd" => Zstd(tar),
            _ => tar,
        };
        _diffIds.Add(Digest(tar));
        _layers.Add(WriteBlob(content, $"application/vnd.oci.image.layer.v1.tar{(compression.Length == 0 ? "" : "+")}{compression}"));
        LayerFiles.Add(BlobPath(Digest(content)));
        return this;
    }

    /// <summary>Writes manifest and index.</summary>
    /// <param name="config">As in image-spec, config.md, "config".</param>
    /// <param name="tag">The image's name in the index.</param>
    /// <returns>The manifest's digest.</returns>
    internal string Finish(object? config = null, string tag = "latest")
    {
        var configuration = new JsonObject
        {
            ["created"] = "2024-03-01T00:00:00.123456789Z",
            ["architecture"] = Architecture,
            ["os"] = "linux",
            ["config"] = JsonSerializer.SerializeToNode(config ?? new { }),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = _diffIds.DeepClone() },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = WriteBlob(JsonSerializer.SerializeToUtf8Bytes(configuration), "application/vnd.oci.image.config.v1+json"),
            ["layers"] = _layers.DeepClone(),
        };
        var descriptor = WriteBlob(JsonSerializer.SerializeToUtf8Bytes(manifest), "application/vnd.oci.image.manifest.v1+json");
        descriptor["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = Architecture };
        descriptor["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag };
        var indexPath = Path.Combine(Folder, "index.json");
        var manifests = File.Exists(indexPath) ? JsonNode.Parse(File.ReadAllText(indexPath))!["manifests"]!.AsArray().DeepClone().AsArray() : [];
        manifests.Add((JsonNode)descriptor);
        File.WriteAllText(indexPath, new JsonObject { ["schemaVersion"] = 2, ["manifests"] = manifests }.ToJsonString());
        return descriptor["digest"]!.GetValue<string>();
    }

    internal string BlobPath(string digest) => Path.Combine(Folder, "blobs/sha256", digest["sha256:".Length..]);

    internal static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    internal static byte[] Gzip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var compressed = new GZipStream(output, CompressionLevel.Fastest))
            compressed.Write(content);
        return output.ToArray();
    }

    internal static byte[] Zstd(byte[] content)
    {
        using var compressor = new Compressor(1);
        return compressor.Wrap(content).ToArray();
    }

    private JsonObject WriteBlob(byte[] content, string mediaType)
    {
        File.WriteAllBytes(BlobPath(Digest(content)), content);
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = Digest(content), ["size"] = content.Length };
    }
}
