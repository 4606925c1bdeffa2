namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>
/// The file system that layers make together, as an index: every question of which layer wins is settled here, before anything is written to a disk, and no
/// path or link can lead out of it.
/// </summary>
internal sealed class FileTree
{
    // As the kernel (include/linux/namei.h, MAXSYMLINKS).
    private const int MaxLinks = 40;

    private const int FolderMode = 0x1ED;

    internal FileNode Root { get; } = new("", null, new Inode { Kind = FileKind.Folder, Mode = FolderMode });

    /// <summary>Lays a layer over what is there (image-spec, layer.md).</summary>
    /// <exception cref="BlueprintException">It contradicts itself or the layers below.</exception>
    internal void Apply(IReadOnlyList<LayerEntry> layer)
    {
        // Whiteouts are about lower layers alone, wherever in the tar they are.
        foreach (var entry in layer.Where(entry => entry.IsWhiteout))
            Hide(entry);
        foreach (var entry in layer.Where(entry => !entry.IsWhiteout))
            Add(entry);
    }

    /// <summary>What a path leads to as a guest would see it, symbolic links followed; null when it leads nowhere.</summary>
    internal FileNode? Find(string path) => Walk(NamesIn(path), isMade: false, path);

    /// <summary>The folder a path leads to, made with its parents where there is none.</summary>
    internal FileNode EnsureFolder(string path, int mode = FolderMode)
    {
        if (Find(path) is { } found)
        {
            return found.IsFolder
                ? found
                : throw new BlueprintException(BlueprintErrorCode.Invalid, $"The image has a file at {path}, where a guest needs a folder.");
        }

        var folder = Walk(NamesIn(path), isMade: true, path)!;
        folder.Inode = folder.Inode with { Mode = mode };
        return folder;
    }

    /// <summary>All names but the root's, folders before what is in them.</summary>
    internal IEnumerable<FileNode> Nodes() => NodesIn(Root);

    internal static IEnumerable<FileNode> NodesIn(FileNode folder)
    {
        foreach (var child in folder.Children.Values)
        {
            yield return child;
            foreach (var node in NodesIn(child))
                yield return node;
        }
    }

    private void Hide(LayerEntry entry)
    {
        if (entry.IsOpaque)
        {
            WalkTo(entry.Path, isMade: false, entry)?.Children.Clear();
            return;
        }

        WalkTo(entry.Path.SkipLast(1), isMade: false, entry)?.Children.Remove(entry.Path[^1]);
    }

    private void Add(LayerEntry entry)
    {
        if (entry.Path.Count == 0)
        {
            if (entry.Inode is not { Kind: FileKind.Folder } root)
                throw new BlueprintException(BlueprintErrorCode.Invalid, "The image has something else than a folder as its root.");
            Root.Inode = root;
            return;
        }

        // Parents may be links, as /lib to /usr/lib in a layer below; a link can only lead to elsewhere in this tree.
        var parent = WalkTo(entry.Path.SkipLast(1), isMade: true, entry)!;
        var name = entry.Path[^1];
        var inode = entry.Inode ?? LinkedInode(entry);
        if (parent.Children.TryGetValue(name, out var existing) && (ReferenceEquals(existing.Inode, inode) || (existing.IsFolder && inode.Kind == FileKind.Folder)))
            existing.Inode = inode;
        else
            parent.Children[name] = new FileNode(name, parent, inode);
    }

    private Inode LinkedInode(LayerEntry entry)
    {
        var parent = WalkTo(entry.HardLinkTo!.SkipLast(1), isMade: false, entry);
        if (entry.HardLinkTo!.Count == 0 || parent is null || !parent.Children.TryGetValue(entry.HardLinkTo[^1], out var target))
        {
            throw new BlueprintException(
                BlueprintErrorCode.Invalid, $"The hard link '{entry}' in the image is to '/{string.Join('/', entry.HardLinkTo)}', which is not there.");
        }

        return target.IsFolder
            ? throw new BlueprintException(BlueprintErrorCode.Invalid, $"The hard link '{entry}' in the image is to a folder.")
            : target.Inode;
    }

    private static string[] NamesIn(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private FileNode? WalkTo(IEnumerable<string> folder, bool isMade, LayerEntry entry)
    {
        var node = Walk(folder, isMade, entry.ToString());
        if (node is null or { IsFolder: true } || !isMade)
            return node is { IsFolder: true } ? node : null;
        throw ThroughFile(entry.ToString(), node);
    }

    private static BlueprintException ThroughFile(string path, FileNode file) =>
        new(BlueprintErrorCode.Invalid, $"The path '{path}' in the image goes through '{file.Path}', which is a file.");

    private FileNode? Walk(IEnumerable<string> path, bool isMade, string shown)
    {
        var names = new Stack<string>(path.Reverse());
        var node = Root;
        var links = 0;
        while (names.TryPop(out var name))
        {
            if (name == "..")
            {
                node = node.Parent;
                continue;
            }

            if (name == ".")
                continue;
            if (!node.Children.TryGetValue(name, out var child))
            {
                if (!isMade)
                    return null;
                child = new FileNode(name, node, new Inode { Kind = FileKind.Folder, Mode = FolderMode, ModifiedAt = node.Inode.ModifiedAt });
                node.Children.Add(name, child);
            }

            if (child.Inode.Kind == FileKind.SymbolicLink)
            {
                if (++links > MaxLinks)
                    throw new BlueprintException(BlueprintErrorCode.Invalid, $"The path '{shown}' in the image goes through too many symbolic links.");
                if (child.Inode.Target.StartsWith('/'))
                    node = Root;
                foreach (var part in NamesIn(child.Inode.Target).Reverse())
                    names.Push(part);
                continue;
            }

            if (!child.IsFolder && names.Count > 0)
            {
                if (!isMade)
                    return null;
                throw ThroughFile(shown, child);
            }

            node = child;
        }

        return node;
    }
}
