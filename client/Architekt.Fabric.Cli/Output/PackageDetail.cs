namespace Architekt.Fabric.Cli.Output;

/// <summary>The JSON form of a package and of where it can be had.</summary>
internal sealed record PackageDetail(
    string Name,
    string Digest,
    string Kind,
    string Architecture,
    string MachineType,
    int Vcpus,
    long MemoryBytes,
    long SizeBytes,
    IReadOnlyList<string> Hosts,
    IReadOnlyList<PackageEntryInfo> Entries)
{
    public static PackageDetail From(IReadOnlyList<PackageInfo> copies)
    {
        var package = copies[0];
        return new(
            package.Name, package.Digest, package.Kind, package.Architecture, package.MachineType, package.Vcpus, package.MemoryBytes, package.SizeBytes,
            [.. copies.Select(copy => copy.Host)], package.Entries);
    }
}
