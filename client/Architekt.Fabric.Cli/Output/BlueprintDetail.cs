using Architekt.Fabric.Blueprints;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of a blueprint that was built.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Name">The name it proposes for itself.</param>
/// <param name="Digest">The digest stores will know it by.</param>
/// <param name="Vcpus">Virtual CPUs of a VM started from it.</param>
/// <param name="MemoryBytes">RAM of a VM started from it.</param>
/// <param name="SizeBytes">Sum of its entries.</param>
/// <param name="Labels">What its manifest notes, with the image's digest and the kernel's version.</param>
internal sealed record BlueprintDetail(
    string Path, string Name, string Digest, int Vcpus, long MemoryBytes, long SizeBytes, IReadOnlyDictionary<string, string> Labels)
{
    public static BlueprintDetail From(BlueprintResult result) => new(
        result.Folder,
        result.Manifest.Name,
        result.Digest,
        result.Manifest.Vcpus,
        result.Manifest.MemoryBytes,
        result.Manifest.Entries.Sum(entry => entry.Size),
        result.Manifest.Labels);
}
