using Architekt.Fabric.Packages;

namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of a package that lies in a file or folder: every field of its manifest, and what it takes where it is.</summary>
internal sealed record PackageFileDetail(
    string Path,
    bool IsArchive,
    long StoredBytes,
    string Digest,
    int FormatVersion,
    string Name,
    string Kind,
    string Architecture,
    string MachineType,
    string? QemuVersion,
    IReadOnlyList<string> CpuFeatures,
    int Vcpus,
    long MemoryBytes,
    string KernelCommandLine,
    string? LivenessPort,
    string? AgentPort,
    DateTimeOffset CreatedAt,
    IReadOnlyDictionary<string, string> Labels,
    long SizeBytes,
    IReadOnlyList<PackageFileEntryDetail> Entries)
{
    public static PackageFileDetail From(PackageFileInfo info)
    {
        var manifest = info.Manifest;
        return new(
            info.Path, info.IsArchive, info.StoredSize, info.Digest, manifest.FormatVersion, manifest.Name, Words.Of(manifest.Kind), manifest.Architecture,
            Words.Of(manifest.MachineType), manifest.QemuVersion, manifest.CpuFeatures, manifest.Vcpus, manifest.MemoryBytes, manifest.KernelCommandLine,
            manifest.AgentPorts.Liveness, manifest.AgentPorts.Agent, manifest.CreatedAt, manifest.Labels, manifest.Entries.Sum(entry => entry.Size),
            [.. info.Entries.Select(entry => new PackageFileEntryDetail(entry.Entry.Name, entry.Entry.Size, entry.StoredSize, entry.Entry.Sha256))]);
    }
}

/// <summary>One entry of it.</summary>
internal sealed record PackageFileEntryDetail(string Name, long SizeBytes, long StoredBytes, string Sha256);
