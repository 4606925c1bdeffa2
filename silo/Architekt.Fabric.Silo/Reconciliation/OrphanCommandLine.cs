using System.Globalization;

namespace Architekt.Fabric.Silo.Reconciliation;

/// <summary>Recognizes the processes this host's silos start by their command lines, as plain code.</summary>
internal static class OrphanCommandLine
{
    private const string PeerOption = "--folder";
    private const string MemoryOption = "mem-path=";

    /// <summary>
    /// The instance a peer (<c>--folder RUNTIME/VM.EPOCH</c>) or a QEMU (a memory backend in <c>RUNTIME/VM.EPOCH/</c>) belongs to; null for any other process, such as a
    /// shell or an editor that merely names a file there.
    /// </summary>
    public static (string Vm, long Epoch)? InstanceOf(IReadOnlyList<string> arguments, string runtimeFolder)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == PeerOption && i == 1 && arguments.Count > 2) return Parse(arguments[2], runtimeFolder, isFolder: true);
            var at = arguments[i].StartsWith("memory-backend-file,", StringComparison.Ordinal) ? arguments[i].IndexOf(MemoryOption, StringComparison.Ordinal) : -1;
            if (at >= 0) return Parse(arguments[i][(at + MemoryOption.Length)..].Split(',')[0], runtimeFolder, isFolder: false);
        }

        return null;
    }

    private static (string Vm, long Epoch)? Parse(string path, string runtimeFolder, bool isFolder)
    {
        var folder = isFolder ? path : Path.GetDirectoryName(path);
        if (folder is null || Path.GetDirectoryName(folder) != runtimeFolder.TrimEnd('/')) return null;
        var name = Path.GetFileName(folder);
        var dot = name.LastIndexOf('.');
        return dot > 0 && FabricNames.IsValid(name[..dot]) && long.TryParse(name[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? (name[..dot], epoch)
            : null;
    }
}
