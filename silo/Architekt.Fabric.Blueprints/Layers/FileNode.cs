namespace Architekt.Fabric.Blueprints.Layers;

/// <summary>A name in a tree.</summary>
internal sealed class FileNode
{
    internal FileNode(string name, FileNode? parent, Inode inode)
    {
        Name = name;
        Parent = parent ?? this;
        Inode = inode;
    }

    internal string Name { get; }

    /// <summary>The folder it is in; the root is in itself.</summary>
    internal FileNode Parent { get; }

    internal Inode Inode { get; set; }

    internal bool IsFolder => Inode.Kind == FileKind.Folder;

    /// <summary>Of a folder, in an order that depends on nothing but the names.</summary>
    internal SortedDictionary<string, FileNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>Its absolute path.</summary>
    internal string Path => Parent == this ? "/" : Parent.Parent == Parent ? $"/{Name}" : $"{Parent.Path}/{Name}";
}
