using Architekt.Fabric.Blueprints.Images;
using Architekt.Fabric.Blueprints.Layers;
using Architekt.InitConfiguration;

namespace Architekt.Fabric.Blueprints.Startup;

/// <summary>Makes of an image's parameters and the options what the guest's first process is told.</summary>
internal static class StartupPlan
{
    private const string DefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const string SystemInit = "/sbin/init";
    private const int StickyForAll = 0x3FF;
    private const int PermissionBits = 0xFFF;

    // What the first process mounts; the first three hold nothing of the image, the others are memory in its place.
    private static readonly string[] _mountPoints = ["/dev", "/proc", "/sys", "/run", "/tmp"];
    private static readonly string[] _memoryFolders = ["/run", "/tmp"];

    /// <summary>Makes the folders the guest needs in its tree, and the configuration. The modules are not known yet.</summary>
    /// <exception cref="BlueprintException">There is nothing to start, or a user, signal, variable or check is wrong.</exception>
    internal static GuestConfiguration Make(FileTree tree, Image image, BlueprintOptions options)
    {
        if (options.Ready is { } ready && !BlueprintOptions.IsReadyCheck(ready))
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"'{ready}' is not what can be waited for: give tcp:PORT or tcp:ADDRESS:PORT.");
        foreach (var folder in _mountPoints)
            tree.EnsureFolder(folder, folder == "/tmp" ? StickyForAll : 0x1ED);
        var users = new UserDatabase(ReadText(tree, "/etc/passwd"), ReadText(tree, "/etc/group"));
        var user = users.Find(options.User ?? image.Parameters.User);
        var workingDirectory = options.WorkingDirectory ?? (string.IsNullOrEmpty(image.Parameters.WorkingDir) ? "/" : image.Parameters.WorkingDir);
        if (!workingDirectory.StartsWith('/'))
            throw new BlueprintException(BlueprintErrorCode.Invalid, $"The working directory '{workingDirectory}' is not absolute.");
        tree.EnsureFolder(workingDirectory);
        return new GuestConfiguration
        {
            Command = Command(tree, image, options),
            Environment = Variables(image.Parameters.Env ?? [], options.Environment, user.Home),
            WorkingDirectory = workingDirectory,
            UserId = user.UserId,
            GroupId = user.GroupId,
            SupplementaryGroups = user.SupplementaryGroups,
            StopSignal = StopSignals.Parse(options.StopSignal ?? image.Parameters.StopSignal),
            StopTimeoutMs = (int)options.StopTimeout.TotalMilliseconds,
            HostName = options.HostName ?? options.Name,
            Ready = options.Ready,
            BeforeSuspend = options.BeforeSuspend,
            AfterResume = options.AfterResume,
            Folders = [.. _memoryFolders.SelectMany(folder => FoldersIn(tree, folder))],
            Sysctls = options.Sysctls,
        };
    }

    private static IReadOnlyList<string> Command(FileTree tree, Image image, BlueprintOptions options)
    {
        // A new entry point does not want the old one's arguments.
        var arguments = options.Arguments ?? (options.EntryPoint is null ? image.Parameters.Cmd : null) ?? [];
        IReadOnlyList<string> command = [.. options.EntryPoint ?? image.Parameters.Entrypoint ?? [], .. arguments];
        if (command.Count > 0 && command[0].Length > 0)
            return command;
        return tree.Find(SystemInit) is { IsFolder: false }
            ? [SystemInit]
            : throw new BlueprintException(BlueprintErrorCode.Invalid, $"The image says nothing of what to start, and has no {SystemInit}: give an entry point.");
    }

    private static List<string> Variables(IReadOnlyList<string> image, IReadOnlyDictionary<string, string> options, string home)
    {
        var result = new List<string>();
        foreach (var variable in image.Concat(options.Select(option => $"{option.Key}={option.Value}")).Where(variable => variable.IndexOf('=') > 0))
        {
            var start = variable[..(variable.IndexOf('=') + 1)];
            result.RemoveAll(known => known.StartsWith(start, StringComparison.Ordinal));
            result.Add(variable);
        }

        if (!result.Any(variable => variable.StartsWith("PATH=", StringComparison.Ordinal)))
            result.Add(DefaultPath);
        if (!result.Any(variable => variable.StartsWith("HOME=", StringComparison.Ordinal)))
            result.Add($"HOME={home}");
        return result;
    }

    private static IEnumerable<GuestFolder> FoldersIn(FileTree tree, string path)
    {
        var folder = tree.Find(path)!;
        var prefix = folder.Path;
        return FileTree.NodesIn(folder).Where(node => node.IsFolder).Select(node => new GuestFolder(
            path + node.Path[prefix.Length..], node.Inode.Mode & PermissionBits, node.Inode.UserId, node.Inode.GroupId));
    }

    private static string ReadText(FileTree tree, string path) =>
        tree.Find(path) is { Inode.Kind: FileKind.Regular } file ? File.ReadAllText(file.Inode.ContentPath) : "";
}
