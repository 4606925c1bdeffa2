using Architekt.Fabric.Blueprints.Interop;
using Architekt.Fabric.Blueprints.Layers;

namespace Architekt.Fabric.Blueprints.Disks;

/// <summary>
/// Lays a tree out in an empty folder of ours for mke2fs(8) to copy: names, contents, links. What only root may do, owners and devices among it, is done on the
/// disk afterwards, and so nothing here needs root and nothing here can be misused.
/// </summary>
internal static class StagingFolder
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Fills a folder. Contents are moved, not copied: they are not where the tree says any more.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="folder">A folder that is empty.</param>
    /// <param name="cancellationToken">Looked at for each file.</param>
    internal static void Fill(FileTree tree, string folder, CancellationToken cancellationToken)
    {
        var places = new Dictionary<Inode, string>();
        // Folders before what is in them, and each of them made here: no link of the image is ever gone through.
        foreach (var node in tree.Nodes())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = folder + node.Path;
            if (node.Inode.Kind is FileKind.CharacterDevice or FileKind.BlockDevice or FileKind.Fifo)
                continue;
            if (node.IsFolder)
                Directory.CreateDirectory(path, FolderMode);
            else if (places.TryGetValue(node.Inode, out var first))
                LibC.HardLink(first, path);
            else
            {
                if (node.Inode.Kind == FileKind.SymbolicLink)
                    File.CreateSymbolicLink(path, node.Inode.Target);
                else
                    File.Move(node.Inode.ContentPath, path);
                places.Add(node.Inode, path);
            }
        }
    }
}
