using System.Text;
using Architekt.Fabric.Blueprints.Layers;

namespace Architekt.Fabric.Blueprints.Disks;

/// <summary>How large a disk must be, and how many inodes it needs.</summary>
/// <param name="Bytes">A multiple of 1 MiB.</param>
/// <param name="Inodes">For what is there and for as much as the free room may come to hold.</param>
internal readonly record struct DiskSize(long Bytes, long Inodes)
{
    internal const int BlockSize = 4096;
    internal const int JournalMegabytes = 4;

    private const long Megabyte = 1024 * 1024;
    private const int InodeSize = 256;

    // What mke2fs(8) assumes of a new file system's files.
    private const int BytesPerInode = 16 * 1024;

    // ext4 keeps shorter targets in the inode.
    private const int ShortTarget = 60;

    // An entry of a folder: inode, lengths, kind, and a name (fs/ext4/ext4.h, struct ext4_dir_entry_2).
    private const int FolderEntry = 8;
    private const int EntryAlignment = 4;

    // A block of a folder is never quite full, and ends with a checksum.
    private const int UsedInFolderBlock = 3072;

    // Files with more extents than their inode holds, group descriptors and bitmaps.
    private const double Overhead = 1.02;
    private const long FixedOverhead = 2 * Megabyte;
    private const int ReservedInodes = 16;

    // Below, mke2fs finds the journal too big.
    private const long Smallest = 16 * Megabyte;

    /// <param name="tree">What goes on it.</param>
    /// <param name="slackBytes">Room that is left free.</param>
    internal static DiskSize Of(FileTree tree, long slackBytes)
    {
        var blocks = FolderBlocks(tree.Root) + 4;
        var inodes = new HashSet<Inode>();
        foreach (var node in tree.Nodes())
        {
            if (!inodes.Add(node.Inode))
                continue;
            if (node.Inode.Attributes.Count > 0)
                blocks++;
            blocks += node.Inode.Kind switch
            {
                FileKind.Folder => FolderBlocks(node),
                FileKind.Regular => Blocks(node.Inode.Size),
                FileKind.SymbolicLink => Encoding.UTF8.GetByteCount(node.Inode.Target) >= ShortTarget ? 1 : 0,
                _ => 0,
            };
        }

        var count = ReservedInodes + inodes.Count + ((slackBytes + BytesPerInode - 1) / BytesPerInode);
        var bytes = (long)(((blocks * BlockSize) + (count * InodeSize)) * Overhead) + FixedOverhead + (JournalMegabytes * Megabyte) + slackBytes;
        return new DiskSize(Math.Max(Smallest, (bytes + Megabyte - 1) / Megabyte * Megabyte), count);
    }

    private static long Blocks(long bytes) => (bytes + BlockSize - 1) / BlockSize;

    private static long FolderBlocks(FileNode folder) => 1 + folder.Children.Keys.Sum(name =>
        FolderEntry + ((Encoding.UTF8.GetByteCount(name) + EntryAlignment - 1) / EntryAlignment * EntryAlignment)) / UsedInFolderBlock;
}
