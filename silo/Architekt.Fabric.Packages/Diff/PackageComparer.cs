using System.Text.Json;
using System.Text.Json.Nodes;

namespace Architekt.Fabric.Packages;

/// <summary>Compares two packages.</summary>
internal sealed class PackageComparer(IPackageSource first, IPackageSource second, IProgress<PackageProgress>? progress)
{
    internal PackageDiff Compare(CancellationToken cancellationToken)
    {
        var names = first.Manifest.Entries.Concat(second.Manifest.Entries).Select(entry => entry.Name).Distinct();
        var pairs = names.Select(name => (Name: name, First: Find(first, name), Second: Find(second, name))).ToList();
        var total = pairs.Where(pair => IsRead(pair.First, pair.Second)).Sum(pair => Math.Max(pair.First!.Size, pair.Second!.Size));
        var done = 0L;
        var entries = new List<EntryDifference>();
        foreach (var (name, one, other) in pairs)
        {
            var comparer = new ContentComparer(count => progress?.Report(new PackageProgress(name, done += count, total)));
            var blocks = one is null || other is null || !HasBlocks(name) ? null
                : IsRead(one, other) ? comparer.Compare(first.Read(one, cancellationToken), second.Read(other, cancellationToken))
                : new BlockDifference(ContentComparer.BlocksIn(one.Size), 0, 0);
            entries.Add(new EntryDifference(name, one, other, blocks));
        }

        return new PackageDiff(
            PackageManifest.DigestOf(first.ManifestBytes), PackageManifest.DigestOf(second.ManifestBytes), CompareFields(), entries);
    }

    private static PackageEntry? Find(IPackageSource source, string name) => source.Manifest.Entries.FirstOrDefault(entry => entry.Name == name);

    private static bool HasBlocks(string name) => name is PackageEntryNames.Memory or PackageEntryNames.Disk;

    private static bool IsRead(PackageEntry? one, PackageEntry? other) => one is not null && other is not null && HasBlocks(one.Name) && one != other;

    private List<FieldDifference> CompareFields()
    {
        var (one, other) = (Flatten(first.Manifest), Flatten(second.Manifest));
        return
        [
            .. from field in one.Keys.Union(other.Keys).Order(StringComparer.Ordinal)
               let values = (First: one.GetValueOrDefault(field), Second: other.GetValueOrDefault(field))
               where values.First != values.Second
               select new FieldDifference(field, values.First, values.Second),
        ];
    }

    private static Dictionary<string, string> Flatten(PackageManifest manifest)
    {
        var fields = new Dictionary<string, string>();
        var json = JsonSerializer.SerializeToNode(manifest with { Entries = [] }, ManifestJsonContext.Default.PackageManifest)!.AsObject();
        json.Remove("entries");
        Add(json, "");
        return fields;

        void Add(JsonObject values, string prefix)
        {
            foreach (var (name, value) in values)
            {
                if (value is JsonObject inner)
                    Add(inner, $"{prefix}{name}.");
                else if (value is not null)
                    fields[prefix + name] = value.ToJsonString();
            }
        }
    }
}
