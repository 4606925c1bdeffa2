using System.Globalization;
using System.Text;
using Architekt.Fabric.Blueprints.Layers;

namespace Architekt.Fabric.Blueprints.Disks;

/// <summary>Writes the commands with which debugfs(8) gives a disk's files what <see cref="StagingFolder"/> could not: owners, modes, times, attributes, devices.</summary>
/// <param name="valuesFolder">Where the attributes' values are put, for debugfs to read; relative to where it runs.</param>
internal sealed class DebugfsScript(string valuesFolder)
{
    // include/uapi/linux/stat.h.
    private const int FifoType = 0x1000;
    private const int CharacterDeviceType = 0x2000;
    private const int FolderType = 0x4000;
    private const int BlockDeviceType = 0x6000;
    private const int RegularType = 0x8000;
    private const int LinkType = 0xA000;

    private const int PermissionBits = 0xFFF;

    // Seconds that fit ext4's 34 bits (fs/ext4/ext4.h, "Extended time"); before 1970 nothing in an image was made.
    private const long LastTime = 0x3_7FFF_FFFF;

    private readonly StringBuilder _commands = new();
    private readonly List<byte[]> _values = [];

    /// <summary>The commands.</summary>
    internal string Text => _commands.ToString();

    /// <summary>The attributes' values, by their file names: their places in the list.</summary>
    internal IReadOnlyList<byte[]> Values => _values;

    internal void Add(FileTree tree)
    {
        var paths = new Dictionary<Inode, string>();
        var links = tree.Nodes().CountBy(node => node.Inode).ToDictionary();
        SetAttributes("/", tree.Root.Inode, links: 1);
        foreach (var node in tree.Nodes())
        {
            if (paths.TryGetValue(node.Inode, out var first))
            {
                if (IsSpecial(node.Inode))
                    _commands.Append($"ln {Quote(first)} {Quote(node.Path)}\n");
                continue;
            }

            paths.Add(node.Inode, node.Path);
            if (IsSpecial(node.Inode))
                MakeSpecial(node);
            SetAttributes(node.Path, node.Inode, links[node.Inode]);
        }
    }

    private static bool IsSpecial(Inode inode) => inode.Kind is FileKind.CharacterDevice or FileKind.BlockDevice or FileKind.Fifo;

    private void MakeSpecial(FileNode node)
    {
        // mknod takes a name, not a path.
        _commands.Append($"cd {Quote(node.Parent.Path)}\n");
        var what = node.Inode.Kind switch
        {
            FileKind.CharacterDevice => $"c {node.Inode.DeviceMajor} {node.Inode.DeviceMinor}",
            FileKind.BlockDevice => $"b {node.Inode.DeviceMajor} {node.Inode.DeviceMinor}",
            _ => "p",
        };
        _commands.Append($"mknod {Quote(node.Name)} {what}\ncd /\n");
    }

    private void SetAttributes(string path, Inode inode, int links)
    {
        var file = Quote(path);
        var type = inode.Kind switch
        {
            FileKind.Folder => FolderType,
            FileKind.Regular => RegularType,
            FileKind.SymbolicLink => LinkType,
            FileKind.CharacterDevice => CharacterDeviceType,
            FileKind.BlockDevice => BlockDeviceType,
            _ => FifoType,
        };
        var mode = "0" + Convert.ToString(type | (inode.Mode & PermissionBits), 8);
        var time = $"@{Math.Clamp(inode.ModifiedAt, 0, LastTime).ToString(CultureInfo.InvariantCulture)}";
        Set("mode", mode);
        Set("uid", $"{inode.UserId}");
        Set("gid", $"{inode.GroupId}");
        foreach (var field in (string[])["atime", "ctime", "mtime", "crtime"])
            Set(field, time);
        if (links > 1 && IsSpecial(inode))
            Set("links_count", $"{links}");
        foreach (var (name, value) in inode.Attributes.OrderBy(attribute => attribute.Key, StringComparer.Ordinal))
        {
            _commands.Append($"ea_set -f {valuesFolder}/{_values.Count} {file} {Quote(name)}\n");
            _values.Add(value);
        }

        void Set(string field, string value) => _commands.Append($"set_inode_field {file} {field} {value}\n");
    }

    // A quote in quotes is doubled (e2fsprogs, lib/ss/parse.c).
    private static string Quote(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
