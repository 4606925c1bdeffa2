using System.Text.Json.Serialization;

namespace Architekt.Fabric.Blueprints.Images;

/// <summary>OCI's own documents are in camel case; Docker's, and what OCI took from it, begin with capitals.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageConfiguration))]
[JsonSerializable(typeof(List<DockerImage>))]
internal sealed partial class ImageJsonContext : JsonSerializerContext;
