using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Architekt.Fabric.Blueprints.Layers;
using Architekt.Fabric.Processes;

namespace Architekt.Fabric.Blueprints.Disks;

/// <summary>Makes an ext4 disk of a tree. The same tree makes the same bytes, whoever makes them.</summary>
internal static class DiskBuilder
{
    private const string DebianPackage = "e2fsprogs";

    private static readonly TimeSpan _timeout = TimeSpan.FromMinutes(10);

    /// <param name="tree">What goes on it; its contents are used up.</param>
    /// <param name="path">The disk's file.</param>
    /// <param name="identity">What the file system's UUID is made of.</param>
    /// <param name="slackBytes">Room that is left free.</param>
    /// <param name="time">When the file system is made, in seconds since 1970, at least 1.</param>
    /// <param name="workFolder">For what is staged.</param>
    /// <param name="cancellationToken">Ends it and the tools it runs.</param>
    /// <exception cref="BlueprintException">A tool did not do what it was told.</exception>
    internal static async Task BuildAsync(
        FileTree tree, string path, string identity, long slackBytes, long time, string workFolder, CancellationToken cancellationToken)
    {
        const string Values = "values";
        var staging = Path.Combine(workFolder, "staging");
        Directory.CreateDirectory(staging);
        StagingFolder.Fill(tree, staging, cancellationToken);

        var size = DiskSize.Of(tree, slackBytes);
        var seed = SHA256.HashData(Encoding.UTF8.GetBytes(identity));
        var options = new CommandOptions
        {
            WorkingDirectory = workFolder,
            DebianPackage = DebianPackage,
            Timeout = _timeout,
            // Its clock, and the order in which it copies what is in a folder.
            Environment = new Dictionary<string, string?> { ["E2FSPROGS_FAKE_TIME"] = time.ToString(CultureInfo.InvariantCulture), ["LC_ALL"] = "C" },
        };
        await Command.RunCheckedAsync(
            "mke2fs",
            [
                "-q", "-F", "-t", "ext4", "-b", $"{DiskSize.BlockSize}", "-I", "256", "-m", "0", "-N", $"{size.Inodes}", "-J", $"size={DiskSize.JournalMegabytes}",
                "-U", $"{new Guid(seed.AsSpan(0, 16))}",
                "-E", $"hash_seed={new Guid(seed.AsSpan(16, 16))},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0",
                "-d", staging, path, $"{size.Bytes / 1024}k",
            ],
            options, cancellationToken).ConfigureAwait(false);

        var script = new DebugfsScript(Values);
        script.Add(tree);
        var scriptPath = Path.Combine(workFolder, "debugfs");
        await File.WriteAllTextAsync(scriptPath, script.Text, cancellationToken).ConfigureAwait(false);
        Directory.CreateDirectory(Path.Combine(workFolder, Values));
        for (var index = 0; index < script.Values.Count; index++)
            await File.WriteAllBytesAsync(Path.Combine(workFolder, Values, $"{index}"), script.Values[index], cancellationToken).ConfigureAwait(false);

        var result = await Command.RunCheckedAsync("debugfs", ["-w", "-f", scriptPath, path], options, cancellationToken).ConfigureAwait(false);
        // It ends with 0 whatever happens; what goes wrong is on standard error, after its own name and version.
        if (result.StandardError.Split('\n').Skip(1).FirstOrDefault(line => line.Length > 0) is { } complaint)
            throw new BlueprintException(BlueprintErrorCode.ToolFailed, $"debugfs cannot give the disk's files what the image says of them: {complaint}");
    }
}
