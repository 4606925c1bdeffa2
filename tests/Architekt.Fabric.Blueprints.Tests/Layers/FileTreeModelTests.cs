using Architekt.Fabric.Blueprints.Layers;
using CsCheck;

namespace Architekt.Fabric.Blueprints.Tests.Layers;

/// <summary>Random layers against the specification's own words, as simply as they can be put.</summary>
public sealed class FileTreeModelTests
{
    private static readonly Gen<string[]> _path = Gen.Int[0, 2].Select(index => "abc"[index..(index + 1)]).Array[1, 3];

    private static readonly Gen<LayerEntry> _entry = Gen.Select(_path, Gen.Int[0, 5], Gen.UInt).Select((path, kind, owner) => kind switch
    {
        0 => new LayerEntry(path, null),
        1 => new LayerEntry(path, null) { IsOpaque = true },
        2 => new LayerEntry(path, new Inode { Kind = FileKind.Folder, UserId = owner }),
        _ => new LayerEntry(path, new Inode { Kind = FileKind.Regular, UserId = owner }),
    });

    [Fact]
    public void Layers_GiveWhatTheSpecificationSays() => _entry.List[1, 8].List[1, 4].Sample(layers =>
    {
        var tree = new FileTree();
        var model = new SortedDictionary<string, FileNote>(StringComparer.Ordinal);
        foreach (var layer in layers)
        {
            var isRefused = !TryApply(model, layer);
            try
            {
                tree.Apply(layer);
                Assert.False(isRefused, "a file was used as a folder");
            }
            catch (BlueprintException)
            {
                Assert.True(isRefused, "a layer was refused that is good");
                return;
            }

            Assert.Equal(model.Select(pair => (pair.Key, pair.Value.Kind, pair.Value.Owner)), tree.Nodes().Select(node => (node.Path, node.Inode.Kind, node.Inode.UserId)).OrderBy(node => node.Path, StringComparer.Ordinal));
        }
    }, iter: 5000);

    private sealed record FileNote(FileKind Kind, uint Owner);

    private static bool TryApply(SortedDictionary<string, FileNote> model, List<LayerEntry> layer)
    {
        foreach (var entry in layer.Where(entry => entry.IsWhiteout))
        {
            Remove(model, $"{entry}/");
            if (!entry.IsOpaque)
                model.Remove(entry.ToString());
        }

        foreach (var entry in layer.Where(entry => !entry.IsWhiteout))
        {
            for (var depth = 1; depth < entry.Path.Count; depth++)
            {
                var parent = "/" + string.Join('/', entry.Path.Take(depth));
                if (!model.TryAdd(parent, new FileNote(FileKind.Folder, 0)) && model[parent].Kind != FileKind.Folder)
                    return false;
            }

            if (entry.Inode!.Kind == FileKind.Regular)
                Remove(model, $"{entry}/");
            model[entry.ToString()] = new FileNote(entry.Inode.Kind, entry.Inode.UserId);
        }

        return true;
    }

    private static void Remove(SortedDictionary<string, FileNote> model, string prefix)
    {
        foreach (var path in model.Keys.Where(path => path.StartsWith(prefix, StringComparison.Ordinal)).ToList())
            model.Remove(path);
    }
}
