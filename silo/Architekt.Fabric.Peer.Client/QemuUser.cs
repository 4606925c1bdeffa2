namespace Architekt.Fabric.Peers;

/// <summary>The user QEMU runs as, where it can be another than its peer's.</summary>
public static class QemuUser
{
    /// <summary>Outside Debian's and systemd's allocated ranges (Debian policy 9.2.2).</summary>
    public const int DefaultId = 64910;

    private const UnixFileMode OthersMayPass = UnixFileMode.OtherExecute;

    /// <summary>Only root can give QEMU a user of its own.</summary>
    public static bool MayBeChosen => Environment.IsPrivilegedProcess;

    /// <summary>The first folder on the way to one of these that other users may not pass; null if there is none.</summary>
    public static string? FirstImpassable(params IEnumerable<string> paths) => paths.Select(FirstImpassableOn).FirstOrDefault(static folder => folder is not null);

    /// <summary>The group of /dev/kvm, if there is one.</summary>
    public static IReadOnlyList<int> KvmGroup()
    {
        if (!File.Exists("/dev/kvm") || !File.Exists("/etc/group")) return [];
        var line = File.ReadLines("/etc/group").FirstOrDefault(static line => line.StartsWith("kvm:", StringComparison.Ordinal));
        return line?.Split(':') is [_, _, var id, ..] && int.TryParse(id, out var group) ? [group] : [];
    }

    private static string? FirstImpassableOn(string path)
    {
        for (var folder = new DirectoryInfo(path); folder is not null; folder = folder.Parent)
        {
            if (folder.Exists && !folder.UnixFileMode.HasFlag(OthersMayPass)) return folder.FullName;
        }

        return null;
    }
}
